// What event kinds and letter kinds are called.
#include "case/case_internal.h"

typedef struct Name {
    Str code, name;
} Name;

static Str name_of(const Name *table, size_t n, Str code) {
    for (size_t i = 0; i < n; i++) {
        if (str_eq(table[i].code, code)) return table[i].name;
    }
    return code;
}

Str event_kind_name(Str kind) {
    static const Name names[] = {
        {S_INIT("case.submitted"), S_INIT("提交申请")},
        {S_INIT("case.accepted"), S_INIT("受理")},
        {S_INIT("case.deemed_accepted"), S_INIT("逾期未告知，视为受理")},
        {S_INIT("case.tolerated"), S_INIT("容缺受理")},
        {S_INIT("case.correction_asked"), S_INIT("一次性告知补正")},
        {S_INIT("case.corrected"), S_INIT("申请人补正")},
        {S_INIT("case.supplemented"), S_INIT("补交材料")},
        {S_INIT("case.refused"), S_INIT("不予受理")},
        {S_INIT("case.withdrawn"), S_INIT("申请人撤回")},
        {S_INIT("case.correction_expired"), S_INIT("逾期未补正，终止办理")},
        {S_INIT("case.promise_broken"), S_INIT("未按承诺补交，终止办理")},
        {S_INIT("case.paused"), S_INIT("特别程序开始，停止计时")},
        {S_INIT("case.resumed"), S_INIT("特别程序结束，恢复计时")},
        {S_INIT("case.extended"), S_INIT("批准延长期限")},
        {S_INIT("case.decided"), S_INIT("作出决定")},
        {S_INIT("case.delivered"), S_INIT("送达结果")},
        {S_INIT("case.rated"), S_INIT("申请人评价")},
        {S_INIT("case.remarked"), S_INIT("备注")},
        {S_INIT("case.looked"), S_INIT("查看完整证件号码")},
        {S_INIT("case.file_opened"), S_INIT("打开申请人材料")},
        {S_INIT("case.exported"), S_INIT("下载归档包")},
        {S_INIT("case.archived"), S_INIT("归档")},
        {S_INIT("task.claimed"), S_INIT("签收待办")},
        {S_INIT("task.released"), S_INIT("退签待办")},
        {S_INIT("task.delegated"), S_INIT("转交待办")},
        {S_INIT("task.completed"), S_INIT("完成环节")},
        {S_INIT("rule.decided"), S_INIT("规则判定")},
        {S_INIT("ledger.paid"), S_INIT("补贴入账")},
        {S_INIT("rating.revisited"), S_INIT("差评回访")},
        {S_INIT("message.read"), S_INIT("阅读消息")},
        {S_INIT("case.migrated"), S_INIT("迁移到新版本的流程")},
        {S_INIT("clock.derived"), S_INIT("节假日安排有变，重新推算期限")},
        {S_INIT("incident.opened"), S_INIT("流程异常，等待重试")},
        {S_INIT("incident.failed_again"), S_INIT("流程异常，重试未成功")},
        {S_INIT("incident.mended"), S_INIT("处理流程异常，未成功")},
        {S_INIT("incident.resolved"), S_INIT("流程异常排除")},
        {S_INIT("incident.closed"), S_INIT("流程异常不再等待")},
        {S_INIT("flow.signal"), S_INIT("流程发出信号")},
        {S_INIT("flow.message"), S_INIT("流程发出消息")},
        {S_INIT("flow.message_unclaimed"), S_INIT("流程发出的消息没有办件在等")},
        {S_INIT("flow.delivered"), S_INIT("收到别的办件的消息")},
        {S_INIT("flow.undelivered"), S_INIT("别的办件的消息来得太晚")},
        {S_INIT("flow.escalated"), S_INIT("流程上报")},
        {S_INIT("case.message"), S_INIT("给流程发消息")},
    };
    return name_of(names, sizeof names / sizeof *names, kind);
}

Str letter_kind_name(Str kind) {
    static const Name names[] = {
        {S_INIT("receipt"), S_INIT("收件凭证")},
        {S_INIT("acceptance"), S_INIT("受理通知书")},
        {S_INIT("refusal-of-acceptance"), S_INIT("不予受理决定书")},
        {S_INIT("correction"), S_INIT("补正告知书")},
        {S_INIT("tolerance"), S_INIT("容缺受理通知书")},
        {S_INIT("promise"), S_INIT("容缺受理承诺书")},
        {S_INIT("pause"), S_INIT("特别程序告知书")},
        {S_INIT("resume"), S_INIT("特别程序结束通知书")},
        {S_INIT("withdrawal"), S_INIT("撤回申请通知书")},
        {S_INIT("tolerance-broken"), S_INIT("容缺失信终止通知书")},
        {S_INIT("correction-expired"), S_INIT("逾期未补正终止通知书")},
        {S_INIT("grant"), S_INIT("准予决定书")},
        {S_INIT("denial"), S_INIT("不予决定书")},
        {S_INIT("result"), S_INIT("办理结果")},
        {S_INIT("rectification"), S_INIT("差评整改告知书")},
    };
    return name_of(names, sizeof names / sizeof *names, kind);
}
