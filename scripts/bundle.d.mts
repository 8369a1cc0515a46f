/**
 * Bundles programs as everything that runs is bundled, each to `{name}.mjs` beside what they share.
 * @param entryPoints Paths by name, absolute or below the project's root.
 * @param outdir Where packages that stay outside are to be found from: below the project, or of programs that need none.
 */
export function bundle(entryPoints: Readonly<Record<string, string>>, outdir: string): Promise<void>;
