// The API: one function that speaks JSON, and one kind of error.

export const base = document.querySelector('meta[name="api-base"]').content;

/** status: HTTP status, 0 if nothing answered; fields: {field: reason}. */
export class ApiError extends Error {
  constructor(message, status, fields = {}) {
    super(message);
    this.status = status;
    this.fields = fields;
  }
}

/** Ask `path` below the API's base and return its JSON (null when it has no content); throw ApiError. */
export async function call(method, path, body) {
  const options = { method, headers: { Accept: "application/json" }, cache: "no-store" };
  if (body !== undefined) {
    options.headers["Content-Type"] = "application/json";
    options.body = JSON.stringify(body);
  }
  const response = await fetch(base + path, options).catch(() => {
    throw new ApiError("the server cannot be reached", 0);
  });
  if (response.status === 204) return null;
  // A proxy's own error page is not JSON.
  const content = await response.json().catch(() => null);
  if (!response.ok || content === null) {
    throw new ApiError(content?.error ?? `unexpected answer (${response.status})`, response.status, content?.fields);
  }
  return content;
}
