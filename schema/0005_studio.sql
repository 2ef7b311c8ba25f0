-- The studio (事项工作室): the next version of an item while it is being written, by whom, and who
-- looked at it. One open draft for each item.
CREATE TABLE studio_draft (
    id @ID,
    code TEXT NOT NULL,         -- of the item, which may not exist yet
    kind @INT NOT NULL,         -- StudioKind: 1 edit, 2 an older version again, 3 an uploaded pack
    base_version_id @INT NOT NULL DEFAULT 0, -- what was published when it began; 0: a new item
    base_withdrawn @INT NOT NULL DEFAULT 0,  -- the item was withdrawn then
    from_version @INT NOT NULL DEFAULT 0,    -- kind 2: the number of that version
    state @INT NOT NULL,        -- StudioState: 1 editing, 2 submitted, 3 rejected, 4 published, 5 discarded
    revision @INT NOT NULL DEFAULT 1, -- counted up by every change; a stale one is a CONFLICT
    files_json TEXT NOT NULL,   -- {path: text}, without the county's own letters
    summary TEXT NOT NULL DEFAULT '', -- what changes and why
    opened_by @INT NOT NULL REFERENCES account(id),
    opened_at @INT NOT NULL,
    saved_by @INT NOT NULL REFERENCES account(id),
    saved_at @INT NOT NULL,
    submitted_by @INT REFERENCES account(id),
    submitted_at @INT,
    reviewed_by @INT REFERENCES account(id),
    reviewed_at @INT,
    review_note TEXT NOT NULL DEFAULT '',
    version_id @INT             -- what it became
);
CREATE UNIQUE INDEX studio_draft_open ON studio_draft(code) WHERE state < 4;
CREATE INDEX studio_draft_code ON studio_draft(code, id);
CREATE TABLE studio_change (    -- whose work a draft is: none of them may approve it
    id @ID,
    draft_id @INT NOT NULL REFERENCES studio_draft(id),
    revision @INT NOT NULL,
    account_id @INT NOT NULL REFERENCES account(id),
    made_at @INT NOT NULL,
    paths_json TEXT NOT NULL    -- the files changed
);
CREATE INDEX studio_change_draft ON studio_change(draft_id, id);
ALTER TABLE item_version ADD COLUMN approved_by @INT;
