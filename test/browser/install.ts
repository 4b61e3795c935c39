import { installed } from "./chromium.ts";
import { installPrograms } from "./programs.ts";

/**
 * `npm run programs`: installs what browser tests drive, all at once and beside the checks of `npm test`, since it waits
 * for the network. What could not be installed here the tests look for again, and say what they lack.
 */
const named = process.env.CHROME_PATH;
installPrograms(...((named === undefined || named === "") && installed() === undefined ? ["chromium"] : []));
