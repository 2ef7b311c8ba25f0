// What bpmn-js and dmn-js say, in Chinese. A text that is not here stays as it is.
import { english } from "./dom.js";

const WORDS = {
  "Activate hand tool": "移动画布", "Activate lasso tool": "框选", "Activate create/remove space tool": "拉开或收拢空间",
  "Activate global connect tool": "连线", "Create start event": "加开始", "Create end event": "加结束",
  "Create intermediate/boundary event": "加中间或边界事件", "Create gateway": "加网关", "Create task": "加环节",
  "Create expanded sub-process": "加子流程", "Create data object reference": "加数据对象", "Create data store reference": "加数据存储",
  "Create pool/participant": "加泳池", "Create group": "加分组", "Append end event": "接上结束", "Append gateway": "接上网关",
  "Append task": "接上环节", "Append intermediate/boundary event": "接上事件", "Append text annotation": "加说明", "Add text annotation": "加说明",
  "Change type": "换类型", "Change element": "换类型", "Connect to other element": "连到别的元素",
  "Connect using sequence/message flow or association": "连线", "Connect using association": "关联", "Delete": "删除", "Remove": "删除",
  "Append {type}": "接上{type}", "Create {type}": "加{type}", "Task": "环节", "User task": "人工环节", "Service task": "服务环节",
  "Send task": "发送环节", "Receive task": "接收环节", "Manual task": "手工环节", "Business rule task": "决策环节", "Script task": "计算环节",
  "Call activity": "调用环节", "Sub-process (collapsed)": "子流程（收起）", "Sub-process (expanded)": "子流程（展开）", "Sub-process": "子流程",
  "Transaction": "事务", "Event sub-process": "事件子流程", "Ad-hoc sub-process": "自由子流程", "Ad-hoc": "自由",
  "Ad-hoc sub-process (collapsed)": "自由子流程（收起）", "Ad-hoc sub-process (expanded)": "自由子流程（展开）",
  "Exclusive gateway": "排他网关（走一条）", "Parallel gateway": "并行网关（都走）", "Inclusive gateway": "包容网关（走符合的）",
  "Complex gateway": "复杂网关", "Event-based gateway": "事件网关（等先发生的）", "Start event": "开始", "End event": "结束",
  "Intermediate throw event": "中间抛出事件", "Message start event": "消息开始", "Timer start event": "定时开始", "Conditional start event": "条件开始",
  "Signal start event": "信号开始", "Message intermediate catch event": "等消息", "Message intermediate throw event": "发消息",
  "Timer intermediate catch event": "等时间", "Escalation intermediate throw event": "上报", "Conditional intermediate catch event": "等条件",
  "Link intermediate catch event": "链接入口", "Link intermediate throw event": "链接出口", "Compensation intermediate throw event": "补偿",
  "Signal intermediate catch event": "等信号", "Signal intermediate throw event": "发信号", "Message end event": "发消息并结束",
  "Escalation end event": "上报并结束", "Error end event": "出错结束", "Compensation end event": "补偿并结束", "Signal end event": "发信号并结束",
  "Terminate end event": "全部终止", "Message boundary event": "边界：消息", "Timer boundary event": "边界：时间",
  "Escalation boundary event": "边界：上报", "Conditional boundary event": "边界：条件", "Error boundary event": "边界：出错",
  "Cancel boundary event": "边界：取消", "Signal boundary event": "边界：信号", "Compensation boundary event": "边界：补偿",
  "Message boundary event (non-interrupting)": "边界：消息（不打断）", "Timer boundary event (non-interrupting)": "边界：时间（不打断）",
  "Escalation boundary event (non-interrupting)": "边界：上报（不打断）", "Conditional boundary event (non-interrupting)": "边界：条件（不打断）",
  "Signal boundary event (non-interrupting)": "边界：信号（不打断）", "Sequence flow": "连线", "Default flow": "默认走这条", "Conditional flow": "有条件的连线",
  "Parallel multi-instance": "并行多份", "Sequential multi-instance": "依次多份", "Loop": "循环", "Collection": "集合",
  "Toggle non-interrupting": "是否打断", "Align elements": "对齐", "Distribute elements horizontally": "横向均分", "Distribute elements vertically": "纵向均分",
  "Align elements left": "左对齐", "Align elements center": "居中", "Align elements right": "右对齐", "Align elements top": "上对齐",
  "Align elements middle": "中线对齐", "Align elements bottom": "下对齐", "Search": "查找", "Search in diagram": "在图里查找", "No matching elements found": "没有找到",
  "Open {element}": "打开{element}", "Empty pool/participant": "空泳池", "Expanded pool/participant": "泳池", "Data object reference": "数据对象",
  "Data store reference": "数据存储", "Tasks": "环节", "Gateways": "网关", "Events": "事件", "Sub-processes": "子流程", "Data": "数据", "Participants": "参与方",
  // decisions
  "View DRD": "看决策关系图", "View DRD ": "看决策关系图", "Open decision table": "打开决策表", "Open literal expression": "打开表达式", "Open boxed expression": "打开表达式", "Hit policy": "命中规则", "Hit Policy": "命中规则", "Hit policy:": "命中规则：", "Aggregation": "汇总",
  "Unique": "唯一（U）", "First": "第一条（F）", "Any": "任一（A）", "Priority": "优先（P）", "Collect": "全部（C）", "Rule order": "按行（R）", "Output order": "按输出（O）",
  "Collect (sum)": "合计", "Collect (min)": "最小", "Collect (max)": "最大", "Collect (count)": "个数",
  "Annotations": "备注", "Add input": "加输入列", "Add output": "加输出列", "Add rule": "加一行", "Add rule above": "在上面加一行",
  "Add rule below": "在下面加一行", "Remove rule": "删除这一行", "Copy rule": "复制这一行", "Cut rule": "剪切这一行", "Paste rule above": "粘贴到上面", "Paste rule below": "粘贴到下面",
  "Add input column left": "在左边加输入列", "Add input column right": "在右边加输入列", "Add input left": "在左边加输入列", "Add input right": "在右边加输入列",
  "Add output left": "在左边加输出列", "Add output right": "在右边加输出列", "Remove input": "删除输入列", "Remove output": "删除输出列",
  "Copy input": "复制输入列", "Cut input": "剪切输入列", "Copy output": "复制输出列", "Cut output": "剪切输出列", "Paste input left": "粘贴到左边", "Paste input right": "粘贴到右边",
  "Rule": "行", "Input": "输入列", "Output": "输出列", "Expression": "表达式", "Expression language": "表达式语言", "Input label": "列名", "Output label": "列名", "Output name": "名字",
  "Input values": "可取的值", "Output values": "可取的值", "Predefined values": "可取的值", "Add predefined values": "加可取的值", "Add values": "加值",
  "When": "当", "Then": "则", "And": "且", "Move rule": "移动这一行", "Description": "说明", "Add description": "加说明", "Edit description": "改说明",
  "Enter expression": "写表达式", "Type": "类型", "Variable name": "变量名", "Variable type": "变量类型", "string": "文字", "number": "数", "boolean": "是否", "date": "日期", "Any type": "任意",
  "Edit input": "改输入列", "Edit output": "改输出列", "Edit decision name": "改决策名称", "Decision name": "决策名称", "Create decision": "加决策", "Create input data": "加输入", "Create knowledge source": "加依据",
  "Create business knowledge model": "加业务知识", "Append decision": "接上决策", "Append input data": "接上输入", "Empty": "空", "Decision table": "决策表", "Literal expression": "表达式",
  "Missing dependency: {name}": "缺：{name}",
};

export function translated(template, replacements = {}) {
  const text = english() ? template : (WORDS[template] ?? template);
  return text.replace(/{([^}]+)}/g, (_, name) => {
    const value = replacements[name] ?? `{${name}}`;
    return english() ? value : (WORDS[value] ?? value);
  });
}

export const translateModule = { translate: ["value", translated] };
