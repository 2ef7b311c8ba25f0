// The studio of an item (/admin/studio/CODE): the editors around a draft. See lib/studio/room.js.
import { startStudio } from "./lib/studio/room.js";

document.addEventListener("DOMContentLoaded", () => {
  const place = document.getElementById("studio");
  if (place) startStudio(place);
});
