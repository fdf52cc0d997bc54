// Reads Mermaid flowcharts with Mermaid itself. For each file named, one line of JSON: what Mermaid has
// understood, or {"error": ...} where it refuses the text.
import { readFileSync } from 'node:fs';
import { JSDOM } from 'jsdom';

// Mermaid looks for a browser when it is imported, so this comes first.
const page = new JSDOM('');
globalThis.window = page.window;
globalThis.document = page.window.document;
const { default: mermaid } = await import('mermaid');

// Entities as Mermaid keeps them while it parses; a browser would show the text.
function shown(label) {
    const markup = label.replace(/ﬂ°°/g, '&#').replace(/ﬂ°/g, '&').replace(/¶ß/g, ';');
    const place = page.window.document.createElement('div');
    place.innerHTML = markup;
    for (const end of place.querySelectorAll('br'))
        end.replaceWith('\n');
    return { text: place.textContent, elements: place.querySelectorAll('*').length };
}

async function read(text) {
    const { diagramType, config } = await mermaid.parse(text);
    const { db } = await mermaid.mermaidAPI.getDiagramFromText(text);
    return {
        type: diagramType,
        config: config ?? {},
        direction: db.getDirection(),
        subgraphs: db.getSubGraphs().length,
        classes: [...db.getClasses().keys()],
        nodes: [...db.getVertices().values()].map((one) => ({
            id: one.id,
            ...shown(one.text),
            classes: one.classes,
            styles: one.styles,
            link: one.link ?? null,
        })),
        edges: db.getEdges().map((one) => ({
            waiter: one.start,
            blocker: one.end,
            ...shown(one.text),
            stroke: one.stroke,
        })),
    };
}

for (const file of process.argv.slice(2)) {
    let answer;
    try {
        answer = await read(readFileSync(file, 'utf8'));
    } catch (error) {
        answer = { error: String(error) };
    }
    console.log(JSON.stringify(answer));
}
