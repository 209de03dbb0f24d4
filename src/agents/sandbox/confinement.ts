import { basename, dirname, join } from "node:path";

/** Where a confined process may connect to. */
export type ConfinedNetwork =
  /** The machine's network as it is. For agents that use a login of their own, whose addresses nobody has listed. */
  | { kind: "open" }
  /** Nothing but these, and a loopback of its own. */
  | {
      kind: "only";
      /** Of the gateway on 127.0.0.1; inside it is reached at the same address. It may be restarted at the same port. */
      gatewayPort?: number;
      /** `example.com`, `*.example.com`, `example.com:8443`. Without a port: 80 and 443. Through a proxy, for programs that honour HTTPS_PROXY. */
      domains: readonly string[];
    };

/** What a process may reach, as absolute paths. What is not said is refused. Plain data. */
export interface Confinement {
  /** It may write in these folders, and nowhere else that lasts. Made when they are not there. */
  writable: readonly string[];
  /** It may write here, too, where it is there: files, or folders that nobody else has to make. */
  writableIfThere: readonly string[];
  /** It may read here. Everything else looks empty. */
  readable: readonly string[];
  /** Looks empty although a folder around it is readable; a writable or readable path within is there again. */
  denied: readonly string[];
  /** Folder for the sockets by which the network comes in. Outside everything writable. */
  bridge: string;
  network: ConfinedNetwork;
}

export interface ConfinementInput {
  workspace: { tree: string; home: string; tmp: string };
  /** STEPFALL_HOME: store, keys, records, transcripts, other workspaces. Never readable but for what is named here. */
  stepfallHome: string;
  /** The user's own HOME. */
  userHome: string;
  /** The project's checkout: neither its files nor its `.git` can be read, but for `objects`. */
  project: string;
  /** Object folders that the workspace's repository borrows from, `info/alternates` of these followed. */
  objects: readonly string[];
  /** Shared download and build caches; writable. */
  caches: readonly string[];
  /** Stepfall's own program and the Node it runs on; read-only. */
  program: readonly string[];
  /** PATH of the process: what its folders need is readable, also in the user's HOME. */
  path: string;
  /** Login of an agent in the user's HOME (`~/.claude`, `~/.codex`), for `direct` and `pass-through`; writable, for tokens are renewed. */
  login?: readonly string[];
  /** What the project's settings add. */
  readable?: readonly string[];
  writable?: readonly string[];
  /** Files with secrets, denied wherever they lie: dotenv files of the project, the file of the settings. */
  secrets?: readonly string[];
  network: ConfinedNetwork;
}

/** What programs are made of on Linux. The rest of `/` looks empty. */
const system = "/usr /bin /sbin /lib /lib32 /lib64 /libx32 /etc /opt /nix /gnu /snap".split(" ");

/** Secrets in `/etc`. They matter where Stepfall runs as root; nobody else can read them anyway. */
const systemSecrets = [
  "shadow shadow- gshadow gshadow- sudoers sudoers.d security/opasswd krb5.keytab ssl/private letsencrypt",
  "ssh/ssh_host_rsa_key ssh/ssh_host_ecdsa_key ssh/ssh_host_ed25519_key ssh/ssh_host_dsa_key",
  "kubernetes rancher docker containers/auth.json wireguard openvpn ppp NetworkManager/system-connections",
].flatMap((names) => names.split(" ").map((name) => join("/etc", name)));

/** Secrets beside programs in a HOME: what a folder of PATH brings along must not bring these. */
const homeSecrets = [
  ".ssh .aws .azure .gnupg .kube .docker .password-store .config .netrc .npmrc .pypirc .git-credentials",
  ".cargo/credentials .cargo/credentials.toml .gem/credentials .local/share/keyrings .terraform.d .vault-token",
].flatMap((names) => names.split(" "));

/** Of a system where a folder of PATH may be linked from: what lies beside such a folder is not the program's. */
const sharedParents = new Set([".local", "go", "home", "Users", "root", "tmp", "var"]);

export const isWithin = (path: string, folder: string): boolean =>
  path === folder || path.startsWith(folder.endsWith("/") ? folder : `${folder}/`);

/**
 * What a folder of PATH needs to be of use: `x/bin` and `x/shims` need `x`, and `x/node_modules/.bin` links into
 * `x/node_modules`. Only the folder itself where more would let in what is nobody's business.
 */
function neededBy(entry: string, isPrivate: (folder: string) => boolean): string {
  const parent = dirname(entry);
  if (basename(entry) === ".bin") return basename(parent) === "node_modules" ? parent : entry;
  if (!["bin", "sbin", "shims"].includes(basename(entry))) return entry;
  return sharedParents.has(basename(parent)) || isPrivate(parent) ? entry : parent;
}

/** The confinement of a process of an attempt. Pure: whether a path exists is looked at when it is put to work. */
export function confinementOf(input: ConfinementInput): Confinement {
  const { workspace, stepfallHome, userHome, project, login = [] } = input;
  const kept = [stepfallHome, userHome, project, "/"];
  const isPrivate = (folder: string) => kept.some((path) => isWithin(path, folder));
  const folders = input.path.split(":").filter((entry) => entry.startsWith("/") && entry !== "/");
  // Nothing of STEPFALL_HOME is let in by standing in PATH; what an attempt has of it is writable to it anyway.
  const tools = folders.filter((entry) => !isWithin(entry, stepfallHome)).map((entry) => neededBy(entry, isPrivate));
  const outside = tools.filter((folder) => !system.some((known) => isWithin(folder, known)));
  const secrets = homeSecrets.map((name) => join(userHome, name)).filter((path) => !login.some((allowed) => isWithin(path, allowed)));
  return {
    writable: unique([workspace.tree, workspace.home, workspace.tmp, ...input.caches]),
    writableIfThere: unique([...login, ...(input.writable ?? [])]),
    // Where names are looked up is often told by a file in /run.
    readable: unique([...system, "/etc/resolv.conf", ...outside, ...input.program, ...input.objects, ...(input.readable ?? [])]),
    denied: unique([stepfallHome, project, ...systemSecrets, ...secrets, ...(input.secrets ?? [])]),
    bridge: join(dirname(workspace.tmp), "net"),
    network: input.network,
  };
}

const unique = (paths: readonly string[]): string[] => [...new Set(paths)];
