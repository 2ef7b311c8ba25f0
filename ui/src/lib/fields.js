// Identity numbers, credit codes, phones and amounts are checked as one leaves the field, by the same
// code that checks them on submission; the answer is put beside the field.
const token = () => document.querySelector('meta[name="csrf"]')?.content ?? "";

async function check(field) {
  const place = document.getElementById(`e-${field.name}`);
  if (!place || !field.value.trim()) return;
  const body = new URLSearchParams({ type: field.dataset.check, value: field.value });
  const answer = await fetch("/check", {
    method: "POST",
    body,
    headers: { Accept: "application/json", "X-CSRF-Token": token() },
  }).catch(() => null);
  if (!answer?.ok) return; // the submission will check again
  const { message } = await answer.json();
  place.textContent = message;
  field.closest(".field")?.classList.toggle("field-error", Boolean(message));
  if (message) field.setAttribute("aria-invalid", "true");
  else field.removeAttribute("aria-invalid");
}

export function startFields() {
  document.addEventListener("change", (event) => {
    if (event.target.matches?.("[data-check]")) check(event.target);
  });
  // What can't be undone asks once, naming the thing: <button data-confirm="…">.
  document.addEventListener("submit", (event) => {
    const text = event.submitter?.dataset.confirm;
    if (text && !window.confirm(text)) event.preventDefault();
  });
  // A form is sent once, however often one presses.
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (event.defaultPrevented || form.method !== "post") return;
    if (form.dataset.sent) event.preventDefault();
    form.dataset.sent = "1";
    setTimeout(() => delete form.dataset.sent, 4000);
  });
  window.addEventListener("pageshow", () => {
    for (const form of document.forms) delete form.dataset.sent;
  });
}
