// Addresses of pages: the fragment, as in #/systems/shop?environment=production.

/** Return the page's name, its parameters and its query for a fragment, or null. */
export function match(routes, fragment) {
  const [path, query = ""] = fragment.replace(/^#/, "").split("?");
  const parts = split(path || "/");
  for (const [pattern, page] of routes) {
    const expected = split(pattern);
    if (expected.length !== parts.length) continue;
    const params = {};
    const fits = expected.every((piece, index) => {
      if (!piece.startsWith(":")) return piece === parts[index];
      params[piece.slice(1)] = parts[index];
      return true;
    });
    if (fits) return { page, params, query: new URLSearchParams(query) };
  }
  return null;
}

/** Build an address: every value is encoded. `to("systems", "shop")` is `#/systems/shop`. */
export function to(...parts) {
  const query = typeof parts.at(-1) === "object" ? parts.pop() : {};
  const set = Object.entries(query).filter(([, value]) => value !== null && value !== undefined && value !== "");
  const path = `#/${parts.map((part) => encodeURIComponent(part).replaceAll("%3A", ":")).join("/")}`;
  return set.length ? `${path}?${new URLSearchParams(set)}` : path;
}

function split(path) {
  return path
    .split("/")
    .filter(Boolean)
    .map((part) => {
      try {
        return decodeURIComponent(part);
      } catch {
        return part;
      }
    });
}
