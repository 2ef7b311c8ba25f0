// What a flow says beyond BPMN, for bpmn-js: the attributes of xmlns:yz on any element. All are
// text; docs/packs.md says what each means. Attributes of that namespace that are not named here
// are kept too (moddle keeps what it doesn't know).
const names = [
  "name_en", "post", "unit", "days", "actions", "form", "clock", "reason", "service", "letter",
  "decision", "result", "outcome", "register", "months", "ledger", "amount", "note", "item",
];

export const yzModdle = {
  name: "Yizhan",
  uri: "urn:yizhan:flow:1",
  prefix: "yz",
  xml: { tagAlias: "lowerCase" },
  types: [
    {
      name: "Attributes",
      extends: ["bpmn:BaseElement"],
      properties: names.map((name) => ({ name, isAttr: true, type: "String" })),
    },
  ],
  associations: [],
};
