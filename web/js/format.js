// Times, ids and words as people read them.

const STEPS = [
  ["y", 31_536_000],
  ["mo", 2_592_000],
  ["d", 86_400],
  ["h", 3600],
  ["min", 60],
];
const exactly = new Intl.DateTimeFormat("en-GB", { dateStyle: "full", timeStyle: "long" });
const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
const clockWithSeconds = new Intl.DateTimeFormat("en-GB", { timeStyle: "medium" });
const weekday = new Intl.DateTimeFormat("en-GB", { weekday: "short", hour: "2-digit", minute: "2-digit" });
const days = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" });
const dayAndYear = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric" });

function duration(seconds) {
  for (const [unit, size] of STEPS) {
    if (seconds >= size) return `${Math.floor(seconds / size)} ${unit}`;
  }
  return "now";
}

/** "3 d ago", "in 2 h". */
export function relative(iso, now = Date.now()) {
  const seconds = (new Date(iso) - now) / 1000;
  const span = duration(Math.abs(seconds));
  if (span === "now") return "just now";
  return seconds > 0 ? `in ${span}` : `${span} ago`;
}

/** The age alone, for dense places: "3 d". */
export function age(iso, now = Date.now()) {
  return duration(Math.max(0, (now - new Date(iso)) / 1000));
}

export function exact(iso) {
  return exactly.format(new Date(iso));
}

export function timeOfDay(date) {
  return clockWithSeconds.format(date);
}

/** A moment ahead, as short as it can be: "14:20", "Mon 08:00", "3 Jan". */
export function moment(iso, now = Date.now()) {
  const date = new Date(iso);
  const ahead = Math.abs(date - now) / 86_400_000;
  if (date.toDateString() === new Date(now).toDateString()) return clock.format(date);
  if (ahead < 6) return weekday.format(date).replace(",", "");
  return (ahead < 300 ? days : dayAndYear).format(date);
}

/** An artifact or a commit without its prefix, cut to seven digits. */
export function short(id) {
  return id.replace(/^(tree|sha256):/, "").slice(0, 7);
}

export function plural(count, one, many = `${one}s`) {
  return `${count} ${count === 1 ? one : many}`;
}

/** A number of seconds as a rule states it: "1 h", "2 d". */
export function span(seconds) {
  return seconds < 60 ? `${seconds} s` : duration(seconds);
}

/** Return an address only if a link may lead there. */
export function webAddress(url) {
  return /^https?:\/\//.test(url ?? "") ? url : null;
}

// registry
export const BLOCKERS = {
  "not-deployed": "not deployed before",
  "rolled-back": "rolled back",
  "not-verified": "not verified",
  "verification-failed": "verification failed",
  "verification-expired": "verification too old",
  soaking: "soaking",
  "not-approved": "not approved",
  frozen: "frozen",
  pinned: "pinned",
  "marked-bad": "marked bad",
};

export const STATES = {
  in_progress: "in progress",
  succeeded: "succeeded",
  failed: "failed",
  cancelled: "cancelled",
};

/** The address of a repository's pages: git also takes one that ends in `.git` or a slash. */
export function pagesOf(repository) {
  return webAddress(repository)?.replace(/\/$/, "").replace(/\.git$/, "");
}
// /registry
