// One test file, so that all checks share the renderings: each takes a second.
import './bus.checks.ts';
import './monitoring.checks.ts';
import './network.checks.ts';
import './overlays.checks.ts';
import './policy.checks.ts';
import './schema.checks.ts';
