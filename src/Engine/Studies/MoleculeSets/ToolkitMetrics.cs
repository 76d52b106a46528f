using System.Text.Json;
using ChemScale.Engine.Chemistry.Identity;
using ChemScale.Engine.Studies.Toolkits;

namespace ChemScale.Engine.Studies.MoleculeSets;

/// <summary>
/// QED, SA, logP, BRICS fragments and FCD, which need patterns and trained networks that this engine does not have: by RDKit and the package fcd, of the
/// Python of <see cref="Toolkit"/>. Of the first molecules of each set; named as not computed where that Python lacks them.
/// </summary>
internal static class ToolkitMetrics
{
    private static readonly string[] Names = ["logP", "QED", "SA", "fragments (BRICS)", "FCD"];

    // Standard input: SMILES of one set, an empty line, those of the other. Standard output: one JSON object.
    private const string Script = """
        import json, math, os, sys
        from collections import Counter
        try:
            from rdkit import Chem, RDConfig, RDLogger
            from rdkit.Chem import BRICS, Crippen, QED
        except ImportError as e:
            print(json.dumps({'reason': 'no RDKit: ' + str(e)}))
            sys.exit()
        RDLogger.DisableLog('rdApp.*')
        first, second = (part.split('\n') for part in sys.stdin.read().rstrip('\n').split('\n\n'))
        sets = [[m for m in map(Chem.MolFromSmiles, lines) if m is not None] for lines in (first, second)]
        found = {}

        def values(name, measure):
            try:
                found[name] = {'values': [[measure(m) for m in molecules] for molecules in sets]}
            except Exception as e:
                found[name] = {'reason': str(e) or type(e).__name__}

        def synthetic():
            sys.path.append(os.path.join(RDConfig.RDContribDir, 'SA_Score'))
            import sascorer
            return sascorer.calculateScore

        values('logP', Crippen.MolLogP)
        values('QED', QED.qed)
        try:
            values('SA', synthetic())
        except Exception as e:
            found['SA'] = {'reason': 'no SA_Score: ' + (str(e) or type(e).__name__)}
        counts = [Counter(f for m in molecules for f in BRICS.BRICSDecompose(m)) for molecules in sets]
        norms = [math.sqrt(sum(v * v for v in c.values())) for c in counts]
        found['fragments (BRICS)'] = {'value': sum(v * counts[1][k] for k, v in counts[0].items()) / (norms[0] * norms[1])} if all(norms) else {'reason': 'no fragments'}
        try:
            import fcd
            found['FCD'] = {'value': float(fcd.get_fcd([Chem.MolToSmiles(m) for m in sets[0]], [Chem.MolToSmiles(m) for m in sets[1]]))}
        except Exception as e:
            found['FCD'] = {'reason': 'no package fcd: ' + (str(e) or type(e).__name__)}
        print(json.dumps(found))
        """;

    public static IReadOnlyList<ToolkitFigure> Of(MoleculeSample generated, MoleculeSample reference, CancellationToken stop)
    {
        (IReadOnlyList<ToolkitFigure>? figures, string? reason) = Toolkit.Ask(Script, Lines(generated) + "\n\n" + Lines(reference) + "\n",
            answer => (IReadOnlyList<ToolkitFigure>)[.. Names.Select(name => Figure(name, answer.GetProperty(name)))], stop);
        return figures ?? Missing(reason!);
    }

    private static ToolkitFigure[] Missing(string reason) => [.. Names.Select(name => new ToolkitFigure(name, null, null, null, reason))];

    private static string Lines(MoleculeSample sample) => string.Join('\n', sample.Molecules.Take(Toolkit.Most).Select(m => m.Smiles));

    private static ToolkitFigure Figure(string name, JsonElement found)
    {
        if (found.TryGetProperty("reason", out JsonElement reason)) return new ToolkitFigure(name, null, null, null, reason.GetString());
        if (found.TryGetProperty("value", out JsonElement value)) return new ToolkitFigure(name, null, null, value.GetDouble(), null);
        double[][] sets = [.. found.GetProperty("values").EnumerateArray().Select(set => set.EnumerateArray().Select(v => v.GetDouble()).ToArray())];
        return sets.Any(set => set.Length == 0)
            ? new ToolkitFigure(name, null, null, null, "RDKit refused all molecules of a set")
            : new ToolkitFigure(name, sets[0].Average(), sets[1].Average(), Distances.Wasserstein(sets[0], sets[1]), null);
    }
}
