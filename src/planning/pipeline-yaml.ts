import { Document, isScalar, Scalar, visit } from "yaml";

/** A text as the pipeline language reads it when nothing in it is meant as an expression. */
export const literalText = (text: string): string => text.replaceAll("${{", () => "$${{");

/** YAML as a person would write it: long texts in lines of their own, nothing folded. */
export function yamlText(value: unknown): string {
  const document = new Document(value, { aliasDuplicateObjects: false });
  return textOf(document);
}

/** Texts of several lines are written as such. */
export function textOf(document: Document): string {
  visit(document, {
    Scalar(_, node) {
      if (isScalar(node) && typeof node.value === "string" && node.value.includes("\n") && node.type !== Scalar.BLOCK_FOLDED)
        node.type = Scalar.BLOCK_LITERAL;
    },
  });
  return document.toString({ lineWidth: 0, flowCollectionPadding: false });
}
