import { realAgent } from "./catalogue.ts";
import { realAgentSuite } from "./suite.ts";

realAgentSuite(realAgent("gemini"));
