export { scoreComplexity, type Complexity, type ComplexityInput, type Factor } from "./score.ts";
export { stepTypeOf, STEP_TYPES, type FoundType, type StepType } from "./step-type.ts";
