-- The spine: people, items, cases and what they leave behind, the trail.

-- people/ ---------------------------------------------------------------------------------------
CREATE TABLE unit (             -- 单位: department 部门, town 镇乡(街道), center 中心, agency 机构
    id @ID,
    code TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    name_en TEXT NOT NULL DEFAULT '',
    kind TEXT NOT NULL,         -- department | town | center
    uscc TEXT NOT NULL DEFAULT '', -- unified social credit code
    parent_id @INT REFERENCES unit(id),
    sort @INT NOT NULL DEFAULT 0
);
CREATE TABLE post (             -- 岗位: tasks go to posts, not people
    id @ID,
    code TEXT NOT NULL UNIQUE,
    unit_id @INT NOT NULL REFERENCES unit(id),
    name TEXT NOT NULL,
    name_en TEXT NOT NULL DEFAULT ''
);
CREATE INDEX post_unit ON post(unit_id);
CREATE TABLE party (            -- 办事主体
    id @ID,
    kind @INT NOT NULL,         -- 1 natural 自然人, 2 legal 法人
    name TEXT NOT NULL,
    id_number TEXT NOT NULL UNIQUE, -- GB 11643 or GB 32100
    phone TEXT NOT NULL DEFAULT '',
    address TEXT NOT NULL DEFAULT '',
    contact TEXT NOT NULL DEFAULT '', -- 联系人 of a legal party
    created_at @INT NOT NULL
);
CREATE INDEX party_name ON party(name);
CREATE TABLE account (
    id @ID,
    login TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    password TEXT NOT NULL,     -- argon2id, encoded; '' cannot log in
    must_change @INT NOT NULL DEFAULT 0, -- 1: somebody else chose the password
    roles @INT NOT NULL,
    unit_id @INT REFERENCES unit(id),
    party_id @INT REFERENCES party(id),
    locked @INT NOT NULL DEFAULT 0, -- 1: by the security administrator
    failures @INT NOT NULL DEFAULT 0,
    locked_until_at @INT NOT NULL DEFAULT 0,
    created_at @INT NOT NULL
);
CREATE INDEX account_party ON account(party_id);
CREATE TABLE account_post (
    account_id @INT NOT NULL REFERENCES account(id),
    post_id @INT NOT NULL REFERENCES post(id),
    PRIMARY KEY (account_id, post_id)
);
CREATE INDEX account_post_post ON account_post(post_id);
CREATE TABLE session (
    token_hash @BLOB NOT NULL PRIMARY KEY,
    account_id @INT NOT NULL REFERENCES account(id),
    csrf TEXT NOT NULL,
    created_at @INT NOT NULL,
    seen_at @INT NOT NULL,
    expires_at @INT NOT NULL
);
CREATE INDEX session_account ON session(account_id);

-- case/ : items ---------------------------------------------------------------------------------
CREATE TABLE item (             -- 事项
    id @ID,
    code TEXT NOT NULL UNIQUE,  -- implementation code 实施编码
    version_id @INT NOT NULL DEFAULT 0, -- the published one; 0: none yet
    state @INT NOT NULL DEFAULT 1,      -- 1 published, 2 withdrawn
    -- what lists and searches need of the published version
    name TEXT NOT NULL,
    name_en TEXT NOT NULL DEFAULT '',
    unit_id @INT NOT NULL REFERENCES unit(id),
    power TEXT NOT NULL DEFAULT '',     -- kind of power 事项类型: 行政许可, 行政给付 …
    case_kind @INT NOT NULL DEFAULT 2,  -- 1 instant 即办件, 2 promised 承诺件, 3 joint 联办件, 4 reported upward 上报件
    audience @INT NOT NULL DEFAULT 3,   -- 1 natural, 2 legal, 3 both
    life_event TEXT NOT NULL DEFAULT '',-- topic code 主题
    is_bundle @INT NOT NULL DEFAULT 0,  -- 1: one thing, once 一件事
    sort @INT NOT NULL DEFAULT 100
);
CREATE INDEX item_unit ON item(unit_id);
CREATE TABLE item_version (
    id @ID,
    item_id @INT NOT NULL REFERENCES item(id),
    version @INT NOT NULL,
    digest TEXT NOT NULL,       -- SHA-256 of the pack's files
    pack_json TEXT NOT NULL,    -- {files: {"item.json": text, "form.json": text, "flow.bpmn": …}}
    published_at @INT NOT NULL,
    published_by @INT,
    UNIQUE (item_id, version)
);

-- case/ : cases ---------------------------------------------------------------------------------
CREATE TABLE cases (            -- 办件
    id @ID,
    number TEXT NOT NULL UNIQUE,
    item_id @INT NOT NULL REFERENCES item(id),
    item_version_id @INT NOT NULL REFERENCES item_version(id),
    unit_id @INT NOT NULL REFERENCES unit(id),  -- the department in charge
    town_id @INT REFERENCES unit(id),           -- where it was taken in, when in a town
    party_id @INT NOT NULL REFERENCES party(id),
    applicant_account_id @INT,                  -- who applied online, for "my cases"
    parent_id @INT,                             -- bundle 一件事, or the case a rectification is about
    channel @INT NOT NULL,                      -- Handling: 1 window, 2 online
    state @INT NOT NULL,                        -- CaseState
    outcome @INT NOT NULL DEFAULT 0,            -- CaseOutcome
    handler_id @INT,                            -- account of the clerk who accepted
    received_at @INT NOT NULL,
    accepted_at @INT,
    decided_at @INT,
    delivered_at @INT,
    closed_at @INT,
    promised_due_day @INT,
    statutory_due_day @INT,
    warn_day @INT,              -- from this day the light is yellow; after promised_due_day red
    paused @INT NOT NULL DEFAULT 0,
    overdue @INT NOT NULL DEFAULT 0, -- decided after promised_due_day
    answers_json TEXT NOT NULL,
    flow_json TEXT NOT NULL,    -- the engine's state
    clock_json TEXT NOT NULL,   -- start day, pauses, derivation
    revision @INT NOT NULL DEFAULT 1 -- counted up by every command; a stale one is a CONFLICT
);
CREATE INDEX cases_received ON cases(received_at);
CREATE INDEX cases_accepted ON cases(accepted_at, item_id, unit_id, town_id, channel);
CREATE INDEX cases_decided ON cases(decided_at, item_id, unit_id, town_id, overdue);
CREATE INDEX cases_closed ON cases(closed_at, state, item_id, unit_id, town_id) WHERE closed_at IS NOT NULL;
CREATE INDEX cases_unit ON cases(unit_id, id);
CREATE INDEX cases_party ON cases(party_id);
CREATE INDEX cases_item ON cases(item_id, id);
CREATE INDEX cases_town ON cases(town_id, id) WHERE town_id IS NOT NULL;
CREATE INDEX cases_window ON cases(id) WHERE channel = 1;
CREATE INDEX cases_overdue ON cases(id) WHERE overdue = 1;
CREATE INDEX cases_parent ON cases(parent_id) WHERE parent_id IS NOT NULL;
CREATE INDEX cases_waiting ON cases(received_at) WHERE state = 1;
CREATE INDEX cases_open_due ON cases(promised_due_day) WHERE decided_at IS NULL;

CREATE TABLE draft (            -- save and resume 暂存
    id @ID,
    token_hash @BLOB NOT NULL UNIQUE, -- the link that resumes it
    account_id @INT,
    item_id @INT NOT NULL REFERENCES item(id),
    item_version_id @INT NOT NULL REFERENCES item_version(id),
    situation_json TEXT NOT NULL, -- answers of the guide
    answers_json TEXT NOT NULL,
    updated_at @INT NOT NULL
);
CREATE INDEX draft_account ON draft(account_id);

CREATE TABLE task (             -- 待办
    id @ID,
    case_id @INT NOT NULL REFERENCES cases(id),
    token @INT NOT NULL,        -- of the flow instance
    node TEXT NOT NULL,
    name TEXT NOT NULL,
    unit_id @INT NOT NULL REFERENCES unit(id),
    post_id @INT NOT NULL REFERENCES post(id),
    account_id @INT,            -- who claimed it
    state @INT NOT NULL,        -- TaskState
    opened_at @INT NOT NULL,
    due_day @INT,
    done_at @INT,
    done_by @INT,
    outcome TEXT NOT NULL DEFAULT '',
    note TEXT NOT NULL DEFAULT '',
    attributes_json TEXT NOT NULL DEFAULT '{}'
);
CREATE INDEX task_case ON task(case_id);
CREATE INDEX task_open ON task(post_id, due_day) WHERE state < 3;

CREATE TABLE file (             -- content-addressed; bytes in DATA/files/ab/cdef…
    hash TEXT NOT NULL PRIMARY KEY, -- SHA-256, hex
    size @INT NOT NULL,
    type TEXT NOT NULL,         -- MIME type found by content
    created_at @INT NOT NULL
);
CREATE TABLE material (         -- 材料
    id @ID,
    case_id @INT REFERENCES cases(id),
    draft_id @INT,
    code TEXT NOT NULL,         -- of the item's list
    name TEXT NOT NULL,
    state @INT NOT NULL,        -- MaterialState
    file_hash TEXT REFERENCES file(hash),
    file_name TEXT NOT NULL DEFAULT '',
    promised_day @INT,          -- tolerant acceptance 容缺: due by
    note TEXT NOT NULL DEFAULT '',
    created_at @INT NOT NULL
);
CREATE INDEX material_case ON material(case_id);
CREATE INDEX material_draft ON material(draft_id) WHERE draft_id IS NOT NULL;
CREATE INDEX material_promised ON material(promised_day) WHERE promised_day IS NOT NULL;

CREATE TABLE letter (           -- 文书
    id @ID,
    case_id @INT NOT NULL REFERENCES cases(id),
    kind TEXT NOT NULL,         -- acceptance, correction, refusal, tolerance, pause, result …
    number TEXT NOT NULL UNIQUE,
    code TEXT NOT NULL UNIQUE,  -- in the QR code: /verify/CODE
    model_json TEXT NOT NULL,   -- everything the template was given, so it prints the same for ever
    digest TEXT NOT NULL,       -- SHA-256 of kind, number and model
    created_at @INT NOT NULL,
    created_by @INT
);
CREATE INDEX letter_case ON letter(case_id);

CREATE TABLE rating (           -- 好差评 (GB/T 39734-2020)
    id @ID,
    case_id @INT NOT NULL UNIQUE REFERENCES cases(id),
    grade @INT NOT NULL,        -- 5 非常满意 … 1 非常不满意
    comment TEXT NOT NULL DEFAULT '',
    channel @INT NOT NULL,
    rated_at @INT NOT NULL,
    rectify_case_id @INT,       -- the case a bad one opened
    revisit_grade @INT          -- asked again after rectification
);
CREATE INDEX rating_rated ON rating(rated_at, grade);

CREATE TABLE register_entry (   -- 名录: recognised persons, permits …
    id @ID,
    register TEXT NOT NULL,
    party_id @INT NOT NULL REFERENCES party(id),
    case_id @INT REFERENCES cases(id),
    number TEXT NOT NULL DEFAULT '',
    valid_from_day @INT NOT NULL,
    valid_to_day @INT,
    data_json TEXT NOT NULL
);
CREATE INDEX register_party ON register_entry(party_id, register);

CREATE TABLE ledger (           -- 台账: total_fen is always the sum of its entries (yizhan verify)
    code TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    total_fen @INT NOT NULL DEFAULT 0
);
CREATE TABLE ledger_entry (
    id @ID,
    ledger TEXT NOT NULL REFERENCES ledger(code),
    case_id @INT NOT NULL REFERENCES cases(id),
    party_id @INT NOT NULL REFERENCES party(id),
    amount_fen @INT NOT NULL,
    booked_at @INT NOT NULL,
    note TEXT NOT NULL DEFAULT ''
);
CREATE INDEX ledger_entry_booked ON ledger_entry(ledger, booked_at);
CREATE INDEX ledger_entry_party ON ledger_entry(party_id);

CREATE TABLE message (          -- 消息, in-app
    id @ID,
    account_id @INT NOT NULL REFERENCES account(id),
    case_id @INT REFERENCES cases(id),
    text_json TEXT NOT NULL,    -- {text: zh template, args: []}
    created_at @INT NOT NULL,
    read_at @INT
);
CREATE INDEX message_account ON message(account_id, id);

CREATE TABLE timer (            -- claimed with a lease, so that any node may do it, once
    id @ID,
    case_id @INT NOT NULL REFERENCES cases(id),
    kind TEXT NOT NULL,         -- flow, correction, tolerance, …
    token @INT NOT NULL DEFAULT 0,
    due_at @INT NOT NULL,
    lease_until_at @INT NOT NULL DEFAULT 0,
    done_at @INT
);
CREATE INDEX timer_due ON timer(due_at) WHERE done_at IS NULL;
CREATE INDEX timer_case ON timer(case_id) WHERE done_at IS NULL;

CREATE TABLE calendar_day (     -- only the days that differ from Monday to Friday
    day @INT NOT NULL PRIMARY KEY,
    is_workday @INT NOT NULL,
    name TEXT NOT NULL
);
CREATE TABLE calendar_year (year @INT NOT NULL PRIMARY KEY, announced @INT NOT NULL, source TEXT NOT NULL);

CREATE TABLE counter (name TEXT NOT NULL PRIMARY KEY, value @INT NOT NULL);
CREATE TABLE setting (name TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL);

-- trail/ ----------------------------------------------------------------------------------------
CREATE TABLE event (            -- 留痕; only ever inserted
    id @ID,
    case_id @INT NOT NULL,      -- 0: of no case
    seq @INT NOT NULL,          -- 1, 2, … within the case
    at @INT NOT NULL,
    actor_id @INT NOT NULL,
    kind TEXT NOT NULL,
    handling @INT NOT NULL,
    data_json TEXT NOT NULL,
    salt @BLOB NOT NULL,
    hash @BLOB NOT NULL
);
CREATE UNIQUE INDEX event_case ON event(case_id, seq);
CREATE INDEX event_handling ON event(at, handling) WHERE handling > 0;
CREATE TABLE log_tile (         -- tlog-tiles; level -1 holds the event ids of the leaves
    level @INT NOT NULL,
    idx @INT NOT NULL,
    data @BLOB NOT NULL,
    PRIMARY KEY (level, idx)
);
CREATE TABLE log_checkpoint (
    size @INT NOT NULL PRIMARY KEY,
    last_event_id @INT NOT NULL,
    sealed_at @INT NOT NULL,
    note TEXT NOT NULL
);
