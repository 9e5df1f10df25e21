// Preloaded: packages are found where tests/clients/install.sh has put them, not beside these files.
import { registerHooks } from 'node:module';
import { pathToFileURL } from 'node:url';

const installed = pathToFileURL(process.env.SLUICE_MODULES + '/').href;
registerHooks({
  resolve(name, context, next) {
    const ours = context.parentURL?.startsWith(import.meta.url.replace(/[^/]*$/, ''));
    return next(name, ours && !/^(node:|file:|\.)/.test(name) ? { ...context, parentURL: installed } : context);
  },
});
