/** Words in -s that are not verbs in the third person: always, or because the next word marks a plural noun ('Names of …'). */
const OTHER =
  /^(?:milliseconds|seconds|minutes|hours|days|bytes|characters|items|events|objects|options|arguments|services|pods|columns|workers|errors|servers|metrics|its|this|always|less|as|whether|us|(?!(?:checks|ensures|logs|reports|verifies|publishes)\b)[a-z]+s (?:that|of|which|are|were|without|whose|between))\b/i;
/** Verbs of speech and hearing: programs report, publish, return and log. */
const SPEECH = /^(?:tells|says|hears|asks|wants|sings|minds|believes)\b/i;

const isThirdPerson = (text) =>
  (/^[A-Za-z]+s\b/.test(text) && !OTHER.test(text) && !SPEECH.test(text)) || /^(?:can|cannot|may)\b/.test(text);

const docstring = {
  meta: {
    type: 'suggestion',
    messages: { verb: "Start the docstring of '{{name}}' with a verb in the third person, such as 'Returns'." },
  },
  create({ sourceCode, report }) {
    return {
      'ExportNamedDeclaration > FunctionDeclaration'(node) {
        const comment = sourceCode.getCommentsBefore(node.parent).at(-1);
        if (!comment?.value.startsWith('*')) return;
        const text = comment.value.replace(/^\*[\s*]*/, '');
        if (!text.startsWith('@') && !isThirdPerson(text))
          report({ loc: comment.loc, messageId: 'verb', data: { name: node.id.name } });
      },
    };
  },
};

const testTitle = {
  meta: {
    type: 'suggestion',
    messages: { verb: "Start with a verb in the third person ('retries a PUT after a connection reset'): '{{title}}'." },
  },
  create({ report }) {
    /** The identifier of `it`, `it.skipIf(…)`, `test.each(…)`. */
    const nameOf = (node) =>
      node.type === 'Identifier'
        ? node.name
        : node.type === 'MemberExpression'
          ? nameOf(node.object)
          : node.type === 'CallExpression'
            ? nameOf(node.callee)
            : '';
    return {
      CallExpression({ callee, arguments: [title] }) {
        if (!['it', 'test'].includes(nameOf(callee)) || !title) return;
        const text =
          title.type === 'Literal'
            ? title.value
            : title.type === 'TemplateLiteral'
              ? title.quasis[0].value.raw || '$'
              : undefined;
        if (typeof text !== 'string' || /^[%$]/.test(text) || isThirdPerson(text)) return;
        report({ node: title, messageId: 'verb', data: { title: text } });
      },
    };
  },
};

export default { rules: { docstring, 'test-title': testTitle } };
