// The client of the service's API. A repeated GET is conditional, so an unchanged answer costs a 304.

const MOST_KEPT = 200;
const MOST_PAGES = 40;
const TIMEOUT_MS = 20_000;

/** The path of something of a system: `ofSystem("shop", "holds", 7)`. */
export const ofSystem = (...parts) => `/v1/systems/${parts.map(encodeURIComponent).join("/")}`;

/** A failed request. `status` is 0 if the service did not answer. */
export class Problem extends Error {
  constructor(status, document = {}) {
    super(document.detail ?? document.title ?? `The service answered ${status}`);
    this.status = status;
    this.type = document.type ?? "";
    this.title = document.title ?? "";
    this.errors = document.errors ?? [];
    this.instance = document.instance ?? "";
  }

  /** True if the same request may succeed later. */
  get passing() {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }
}

export class Api {
  #kept = new Map();
  #token;

  constructor(token) {
    this.#token = token;
  }

  /** Forget all answers, because another caller may see others. */
  forget() {
    this.#kept.clear();
  }

  async get(path, signal) {
    const kept = this.#kept.get(path);
    const response = await this.#fetch(path, { signal, headers: kept ? { "If-None-Match": kept.etag } : {} });
    if (response.status === 304 && kept) return kept.body;
    const body = await read(response);
    const etag = response.headers.get("ETag");
    this.#kept.delete(path);
    if (etag) {
      this.#kept.set(path, { etag, body });
      if (this.#kept.size > MOST_KEPT) this.#kept.delete(this.#kept.keys().next().value);
    }
    return body;
  }

  /** Return all items of a list, page by page. */
  async all(path, signal) {
    const items = [];
    let cursor = null;
    for (let page = 0; page < MOST_PAGES; page++) {
      const mark = path.includes("?") ? "&" : "?";
      const answer = await this.get(cursor ? `${path}${mark}cursor=${encodeURIComponent(cursor)}` : path, signal);
      items.push(...answer.items);
      cursor = answer.next;
      if (!cursor) break;
    }
    return items;
  }

  /** Send a write. `key` is the Idempotency-Key: a repeated attempt sends the same key. */
  async send(method, path, body, { key, etag } = {}) {
    const headers = { "Content-Type": "application/json" };
    if (key) headers["Idempotency-Key"] = key;
    if (etag) headers["If-Match"] = etag;
    return read(await this.#fetch(path, { method, headers, body: body && JSON.stringify(body) }));
  }

  /** Return a resource as it is now, with the ETag that a change of it sends. */
  async read(path) {
    const response = await this.#fetch(path, { headers: {} });
    return { body: await read(response), etag: response.headers.get("ETag") };
  }

  async #fetch(path, { signal, headers, ...request }) {
    const token = this.#token();
    const limit = AbortSignal.timeout(TIMEOUT_MS);
    try {
      return await fetch(path, {
        ...request,
        headers: { ...headers, Accept: "application/json", ...(token ? { Authorization: `Bearer ${token}` } : {}) },
        signal: signal ? AbortSignal.any([signal, limit]) : limit,
        cache: "no-store",
        credentials: "omit",
        redirect: "error",
      });
    } catch (error) {
      if (signal?.aborted) throw error;
      throw new Problem(0, { detail: "The service does not answer" });
    }
  }
}

async function read(response) {
  const text = response.status === 204 ? "" : await response.text();
  let body = null;
  try {
    body = text ? JSON.parse(text) : null;
  } catch {
    throw new Problem(response.status || 502, { detail: "The answer is not the service's: it is no JSON" });
  }
  if (!response.ok) throw new Problem(response.status, body ?? {});
  return body;
}
