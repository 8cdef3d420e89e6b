export type PeerName = "nginx" | "haproxy" | "caddy" | "http-proxy-3" | "undici" | "understudy";

/** How a peer takes over an edited configuration while it runs. */
export type Reload =
  | { readonly by: "signal"; readonly signal: NodeJS.Signals }
  /** The configuration is posted to Caddy's admin address. */
  | { readonly by: "caddy-admin" }
  | { readonly by: "nothing"; readonly why: string };

/** The signal by which a peer replaces the processes that serve while it runs, or why it has none. */
export type Renew =
  | { readonly by: "signal"; readonly signal: NodeJS.Signals }
  | { readonly by: "nothing"; readonly why: string };

/** All that differs between the peers. `@NAME@` stands for a setting, here and in the template. */
export interface PeerDescription {
  readonly name: PeerName;
  /** Its configuration, a file in bench/peers/; undefined where the flags say it all. */
  readonly template: string | undefined;
  /** A program on the PATH. */
  readonly program: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Prints its version. */
  readonly versionArgs: readonly string[];
  /** Debian's package; undefined for what `npm ci` brings. */
  readonly debianPackage: string | undefined;
  /** Ends it in order. */
  readonly stopSignal: NodeJS.Signals;
  readonly reload: Reload;
  readonly renew: Renew;
  /** Whether WebSockets get through. */
  readonly upgrades: boolean;
}
