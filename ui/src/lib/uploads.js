// Materials: size and type are told and checked before sending, pictures are shown, progress is drawn
// and read out. Without this script the same form uploads on submission.
import { say } from "./focus.js";

const token = () => document.querySelector('meta[name="csrf"]')?.content ?? "";

function preview(input, file) {
  const place = input.closest("[data-upload]").querySelector("[data-preview]");
  place.replaceChildren();
  if (!file.type.startsWith("image/")) return;
  const reader = new FileReader();
  reader.onload = () => {
    const image = new Image();
    image.src = reader.result; // a data: address, which the security policy allows
    image.alt = file.name;
    place.append(image);
  };
  reader.readAsDataURL(file);
}

function refusal(input, file) {
  const { maxBytes, tooBig, accept, wrongType } = input.dataset;
  const ending = file.name.toLowerCase().split(".").pop();
  if (accept && !accept.split(", ").includes(ending.replace("jpeg", "jpg"))) return wrongType;
  if (file.size > Number(maxBytes)) return tooBig;
  return "";
}

function send(input, file) {
  const box = input.closest("[data-upload]");
  const bar = box.querySelector("progress");
  const words = box.querySelector("[data-progress]");
  const data = new FormData();
  data.append("_csrf", token());
  data.append(input.name, file);
  const request = new XMLHttpRequest();
  request.open("POST", input.form.action);
  request.setRequestHeader("X-CSRF-Token", token());
  request.setRequestHeader("Accept", "application/json");
  bar.hidden = false;
  bar.value = 0;
  request.upload.onprogress = (event) => {
    const part = event.lengthComputable ? Math.round((event.loaded / event.total) * 100) : 0;
    bar.value = part;
    words.textContent = `${part}%`;
  };
  request.onload = () => {
    bar.hidden = true;
    let answer = {};
    try {
      answer = JSON.parse(request.responseText);
    } catch {
      // not JSON: a proxy's page; the status says enough
    }
    const message = answer.errors?.[0]?.message;
    if (request.status >= 400 || message) {
      fail(input, message ?? box.dataset.failed);
      return;
    }
    say(box.dataset.done);
    window.location.reload();
  };
  request.onerror = () => {
    bar.hidden = true;
    fail(input, box.dataset.failed);
  };
  request.send(data);
}

function fail(input, message) {
  const place = document.getElementById(`e-${input.name}`);
  place.textContent = message;
  input.closest(".field")?.classList.add("field-error");
  input.setAttribute("aria-invalid", "true");
  input.value = "";
  say(message);
}

export function startUploads() {
  document.addEventListener("change", (event) => {
    const input = event.target;
    if (!input.matches?.('[data-upload] input[type="file"]') || !input.files.length) return;
    const [file] = input.files;
    const wrong = refusal(input, file);
    if (wrong) {
      fail(input, wrong);
      return;
    }
    preview(input, file);
    send(input, file);
  });
}
