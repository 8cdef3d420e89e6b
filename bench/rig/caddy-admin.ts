/** Has Caddy load this Caddyfile, also where it has not changed. */
export async function postConfig(adminPort: number, config: string): Promise<void> {
  const answer = await fetch(`http://127.0.0.1:${adminPort}/load`, {
    method: "POST",
    headers: { "Content-Type": "text/caddyfile", "Cache-Control": "must-revalidate" },
    body: config,
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`caddy does not load its configuration: ${text}`);
}
