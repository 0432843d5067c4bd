-- The durable queue. A job that waits and a job in work are one state: work hides a job until `visible_at`, so a worker that
-- dies gives its job back by doing nothing.

create table jobs (
    id uuid primary key,
    queue text not null,
    kind text not null,
    payload jsonb not null,
    state text not null default 'waiting' check (state in ('waiting', 'done', 'dead')),
    attempts integer not null default 0, -- also the number of the claim: an older claim changes nothing any more
    visible_at timestamptz not null default now(),
    enqueued_at timestamptz not null default now(),
    finished_at timestamptz,
    last_error text
);

-- claims take the job that has waited longest; depth and age of the queue read this index alone
create index jobs_waiting on jobs (queue, visible_at) where state = 'waiting';
-- housekeeping deletes what was done long ago
create index jobs_done on jobs (finished_at) where state = 'done';

-- What a job produced. The key is the job: a second run of the same job cannot add a second result.
create table job_results (
    job_id uuid primary key,
    kind text not null,
    result jsonb not null,
    created_at timestamptz not null default now()
);
