// Roles and actors.
//
// Invariant: the three administrators exclude each other and every other role (GB/T 22239-2019,
// 8.1.3); nothing in this room stores a combination that roles_from_value refuses.
#include "people/people_impl.h"

typedef struct RoleInfo {
    unsigned bit;
    Str code, name;
} RoleInfo;

static const RoleInfo roles[ROLE_COUNT] = {
    {ROLE_PUBLIC, S_INIT("public"), S_INIT("公众")},
    {ROLE_CITIZEN, S_INIT("citizen"), S_INIT("申请人")},
    {ROLE_AGENT, S_INIT("agent"), S_INIT("代办人")},
    {ROLE_CLERK, S_INIT("clerk"), S_INIT("窗口人员")},
    {ROLE_APPROVER, S_INIT("approver"), S_INIT("审批人员")},
    {ROLE_SUPERVISOR, S_INIT("supervisor"), S_INIT("监督人员")},
    {ROLE_LEADER, S_INIT("leader"), S_INIT("领导")},
    {ROLE_SYSADMIN, S_INIT("sysadmin"), S_INIT("系统管理员")},
    {ROLE_SECADMIN, S_INIT("secadmin"), S_INIT("安全管理员")},
    {ROLE_AUDITADMIN, S_INIT("auditadmin"), S_INIT("审计管理员")},
    {ROLE_SYSTEM, S_INIT("system"), S_INIT("系统")},
};

const Actor actor_public = {.roles = ROLE_PUBLIC, .name = S_INIT("")};
const Actor actor_system = {.roles = ROLE_SYSTEM, .name = S_INIT("")};

static const RoleInfo *info_of(unsigned role) {
    for (size_t i = 0; i < ROLE_COUNT; i++) {
        if (roles[i].bit == role) return &roles[i];
    }
    return NULL;
}

Str role_code(Role r) {
    const RoleInfo *info = info_of(r);
    return info ? info->code : S("");
}

Str role_name(Role r) {
    const RoleInfo *info = info_of(r);
    return info ? info->name : S("");
}

unsigned role_by_code(Str code) {
    for (size_t i = 0; i < ROLE_COUNT; i++) {
        if (str_eq(roles[i].code, code)) return roles[i].bit;
    }
    return 0;
}

bool actor_has(const Actor *a, unsigned wanted) { return (a->roles & wanted) != 0; }

bool actor_holds_post(const Actor *a, int64_t post_id) {
    for (size_t i = 0; i < a->posts_count; i++) {
        if (a->posts[i] == post_id) return true;
    }
    return false;
}

Status roles_from_value(Value codes, unsigned *ret, Errors *errs) {
    if (codes.kind != V_LIST) {
        return errors_add(errs, INVALID, S("roles"), "角色应是一个列表");
    }
    unsigned all = 0;
    for (uint32_t i = 0; i < codes.len; i++) {
        Str code = v_text(v_at(codes, i));
        unsigned bit = role_by_code(code) & ROLES_ALL_ACCOUNTS;
        if (!bit) return errors_add(errs, INVALID, S("roles"), "没有这个角色：{1}", code);
        all |= bit;
    }
    unsigned admin = all & ROLES_ADMIN;
    if (admin && all != (admin & -admin)) {
        return errors_add(errs, INVALID, S("roles"),
                          "系统、安全、审计三个管理员必须各由一人担任，且不能兼任其他角色");
    }
    *ret = all;
    return OK;
}

Value roles_to_value(unsigned bits, Arena *a) {
    ListBuilder list = list_make(a);
    for (size_t i = 0; i < ROLE_COUNT; i++) {
        if (bits & roles[i].bit) list_add(&list, v_str(roles[i].code));
    }
    return list_done(&list);
}
