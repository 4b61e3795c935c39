import { registerHooks } from "node:module";

/**
 * tfjs-core's gradients come as a file for bundlers only: modules that import each other without extensions.
 * Imported before tfjs.ts, this lets Node load them too. They register themselves in tfjs' one global registry.
 */
registerHooks({
  resolve: (specifier, context, next) => {
    const within = context.parentURL?.includes("/@tensorflow/tfjs-core/dist/") && specifier.startsWith(".");
    return next(within && !specifier.endsWith(".js") ? `${specifier}.js` : specifier, context);
  },
});
