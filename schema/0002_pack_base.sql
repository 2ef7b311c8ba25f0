-- A pack that many items share: the generic pack of imported items, kept once for each content. The
-- pack_json of their versions is {"base": digest, "overrides": {members of item.json}}.
CREATE TABLE pack_base (
    digest TEXT NOT NULL PRIMARY KEY, -- SHA-256 of the pack's files
    pack_json TEXT NOT NULL           -- {"files": {…}} as in item_version
);
-- What a search looks through: name, English name and code in lower case (ASCII), a line each.
ALTER TABLE item ADD COLUMN search TEXT NOT NULL DEFAULT '';
