-- Tables with the keys and constraints that make the data right. What only makes it fast is in 0003.
-- Identifiers are UUIDs of version 7: they grow with time, so "after this id" is "later", and a page goes on from its last one.

create table users (
    id uuid primary key,
    email text not null unique check (email = lower(email) and length(email) <= 254),
    role text not null check (role in ('user', 'power', 'admin')),
    password_hash text, -- null: invited, cannot log in yet
    created_at timestamptz not null default now()
);

create table refresh_tokens (
    digest bytea primary key, -- SHA-256 of the token: who reads this table cannot log in with it
    user_id uuid not null references users on delete cascade,
    expires_at timestamptz not null,
    used_at timestamptz -- a token is good for one refresh
);

create table sessions (
    id uuid primary key,
    user_id uuid not null references users on delete cascade,
    title text not null check (length(title) <= 200),
    created_at timestamptz not null default now(),
    closed_at timestamptz
);

create table messages (
    id uuid primary key,
    session_id uuid not null references sessions on delete cascade,
    text text not null,
    created_at timestamptz not null default now()
);

create table documents (
    id uuid primary key,
    owner_id uuid references users on delete set null,
    name text not null check (length(name) <= 200),
    text text not null,
    created_at timestamptz not null default now(),
    indexed_at timestamptz -- null: the job that indexes it has not run yet
);

-- Pieces of documents that a search finds.
create table chunks (
    document_id uuid not null references documents on delete cascade,
    position integer not null,
    text text not null,
    embedding real[] not null,
    words tsvector not null generated always as (to_tsvector('english', text)) stored,
    primary key (document_id, position)
);

create table message_embeddings (
    message_id uuid primary key references messages on delete cascade,
    embedding real[] not null
);

create table feature_flags (
    name text primary key check (length(name) <= 100),
    enabled boolean not null,
    updated_at timestamptz not null default now()
);

-- Outlives the users it speaks of, so it refers to nobody.
create table audit_log (
    id uuid primary key,
    actor_id uuid,
    action text not null,
    subject text not null,
    created_at timestamptz not null default now()
);

-- The form in which times leave the service.
create function rfc3339(moment timestamptz) returns text stable parallel safe
    return to_char(moment at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"');
