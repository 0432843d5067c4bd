-- Indexes that make the queries fast, each beside what it serves. The tests explain these queries and hold them to it.

-- users.list with a role, and users.invited
create index users_by_role on users (role, id desc);
create index users_invited on users (id desc) where password_hash is null;

-- refresh tokens of a user who is deleted, and those that housekeeping deletes
create index refresh_tokens_of_user on refresh_tokens (user_id);
create index refresh_tokens_expired on refresh_tokens (expires_at);

-- sessions.open, sessions.all (history of a user), sessions.closed_since (overview)
create index sessions_open on sessions (user_id, id desc) where closed_at is null;
create index sessions_of_user on sessions (user_id, id desc);
create index sessions_closed on sessions (closed_at) where closed_at is not null;

-- messages.history goes back from the newest; messages.count_since is for the overview, over an append-only table
create index messages_of_session on messages (session_id, id desc);
create index messages_by_time on messages using brin (created_at) with (autosummarize = on);

-- documents.mine, and documents.unindexed
create index documents_of_owner on documents (owner_id, id desc);
create index documents_unindexed on documents (id) where indexed_at is null;

-- knowledge.candidates
create index chunks_by_word on chunks using gin (words);

-- audit.by_actor, audit.by_action, audit.by_subject, audit.by_actor_and_action
create index audit_by_actor on audit_log (actor_id, id desc);
create index audit_by_action on audit_log (action, id desc);
create index audit_by_subject on audit_log (subject, id desc);
create index audit_by_actor_and_action on audit_log (actor_id, action, id desc);

-- flags.enabled, and flags.changed_since
create index feature_flags_enabled on feature_flags (name) where enabled;
create index feature_flags_by_change on feature_flags (updated_at desc);
