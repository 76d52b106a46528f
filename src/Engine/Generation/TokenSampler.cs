using System.Numerics;
using ChemScale.Engine.Numerics;

namespace ChemScale.Engine.Generation;

/// <summary>
/// Draws a token from scores. One per sequence, whose random numbers follow from seed and sequence's number, of 64 bits each: the batch a sequence is
/// in does not matter, and no two sequences of a seed have the same numbers.
/// </summary>
internal sealed class TokenSampler(long seed, long sequence, double temperature, int topK, double topP = 1)
{
    private CounterRandom random = new((ulong)seed, (ulong)sequence);

    /// <summary>Divides the scores of tokens that were there above zero by the penalty, and multiplies those below (Keskar et al. 2019, arXiv 1909.05858).</summary>
    /// <param name="scores">(vocabulary)</param>
    /// <param name="ids">The sequence so far.</param>
    /// <param name="penalty">1: none.</param>
    public static void Penalize<T>(Span<T> scores, List<int> ids, double penalty)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (penalty == 1) return;
        T by = T.CreateChecked(penalty);
        for (int i = 0; i < ids.Count; i++)
        {
            int id = ids[i];
            if (ids.IndexOf(id) == i) scores[id] = scores[id] > T.Zero ? scores[id] / by : scores[id] * by;
        }
    }

    /// <summary>What would end a run of tokens that the sequence has already is not drawn.</summary>
    /// <param name="scores">(vocabulary)</param>
    /// <param name="ids">The sequence so far.</param>
    /// <param name="length">Of the run; 0: anything may come again.</param>
    public static void HideRepeats<T>(Span<T> scores, List<int> ids, int length)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (length == 0) return;
        for (int start = 0; start + length <= ids.Count; start++)
        {
            int same = 0;
            while (same < length - 1 && ids[start + same] == ids[ids.Count - length + 1 + same]) same++;
            if (same == length - 1) scores[ids[start + same]] = T.NegativeInfinity;
        }
    }

    /// <param name="scores">(vocabulary); a score of minus infinity is never drawn.</param>
    /// <returns>An id; -1 where all scores are minus infinity, or none is a number.</returns>
    public int Draw<T>(ReadOnlySpan<T> scores)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        T greatest = Greatest(scores);
        if (!(greatest > T.NegativeInfinity)) return -1;
        if (temperature == 0) return scores.IndexOf(greatest);

        bool all = topK <= 0 || topK >= scores.Length, small = scores.Length <= 4096;
        Span<int> ids = all ? [] : small ? stackalloc int[scores.Length] : new int[scores.Length];
        int count = all ? scores.Length : Candidates(scores, Threshold(scores, topK, greatest), ids);
        Span<double> weights = small ? stackalloc double[count] : new double[count];
        double scale = 1 / temperature, offset = double.CreateChecked(greatest);
        for (int i = 0; i < count; i++) weights[i] = (double.CreateChecked(scores[all ? i : ids[i]]) - offset) * scale;
        double total = Exponentials(weights);
        if (topP < 1) total = Nucleus(weights, total);

        double point = random.NextDouble() * total;
        int drawn = -1;
        for (int i = 0; i < count; i++)
        {
            if (weights[i] <= 0) continue;
            drawn = i;
            point -= weights[i];
            if (point < 0) break;
        }
        return all ? drawn : ids[drawn];
    }

    /// <summary>A number that the k greatest scores, and those that equal the least of them, reach, and no others: halving an interval and counting.</summary>
    internal static T Threshold<T>(ReadOnlySpan<T> scores, int k, T greatest)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (Reaching(scores, greatest) >= k) return greatest;
        if (Reaching(scores, Least<T>()) < k) return T.NegativeInfinity;
        T high = greatest, low;
        for (T step = T.One; ; step += step)
        {
            // Most often a few steps down are enough; in the end it is the least finite number.
            low = T.IsFinite(step) ? T.Max(greatest - step, Least<T>()) : Least<T>();
            int count = Reaching(scores, low);
            if (count == k) return low;
            if (count > k) break;
            high = low;
        }
        while (true)
        {
            T middle = low / (T.One + T.One) + high / (T.One + T.One);
            if (!(middle > low) || !(middle < high)) return low;
            int count = Reaching(scores, middle);
            if (count == k) return middle;
            if (count > k) low = middle;
            else high = middle;
        }
    }

    private static T Least<T>()
        where T : unmanaged, IFloatingPointIeee754<T> => typeof(T) == typeof(float) ? T.CreateChecked(float.MinValue) : T.CreateChecked(double.MinValue);

    private static T Greatest<T>(ReadOnlySpan<T> scores)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        int i = 0;
        T greatest = T.NegativeInfinity;
        if (scores.Length >= Vector<T>.Count)
        {
            var most = new Vector<T>(T.NegativeInfinity);
            for (; i + Vector<T>.Count <= scores.Length; i += Vector<T>.Count) most = Vector.MaxNumber(most, new Vector<T>(scores[i..]));
            for (int lane = 0; lane < Vector<T>.Count; lane++) greatest = T.MaxNumber(greatest, most[lane]);
        }
        for (; i < scores.Length; i++) greatest = T.MaxNumber(greatest, scores[i]);
        return greatest;
    }

    private static int Candidates<T>(ReadOnlySpan<T> scores, T threshold, Span<int> ids)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        int count = 0;
        for (int i = 0; i < scores.Length; i++)
        {
            ids[count] = i;
            count += scores[i] >= threshold ? 1 : 0;
        }
        return count;
    }

    /// <summary>Numbers, none above zero, to their exponentials.</summary>
    /// <returns>Their sum, taken in order.</returns>
    private static double Exponentials(Span<double> numbers)
    {
        int i = 0;
        for (; i + Vector<double>.Count <= numbers.Length; i += Vector<double>.Count) Vector.Exp(new Vector<double>(numbers[i..])).CopyTo(numbers[i..]);
        for (; i < numbers.Length; i++) numbers[i] = Math.Exp(numbers[i]);
        double total = 0;
        foreach (double number in numbers) total += number;
        return total;
    }

    /// <summary>
    /// Keeps the fewest of the likeliest whose sum reaches that part of the total (Holtzman et al. 2020, arXiv 1904.09751), and those that are as
    /// likely as the last of them; the others become 0.
    /// </summary>
    /// <returns>The sum of what is kept.</returns>
    private double Nucleus(Span<double> weights, double total)
    {
        // What is left out here is together no more than the part that may be.
        double cut = (1 - topP) * total / weights.Length, sum = 0, least = 0;
        var likely = new List<double>();
        foreach (double weight in weights)
            if (weight > cut) likely.Add(weight);
        likely.Sort();
        for (int i = likely.Count - 1; i >= 0 && sum < topP * total; i--)
        {
            least = likely[i];
            sum += least;
        }
        sum = 0;
        foreach (ref double weight in weights)
        {
            if (weight < least) weight = 0;
            sum += weight;
        }
        return sum;
    }

    /// <summary>How many scores are so great, or greater.</summary>
    private static int Reaching<T>(ReadOnlySpan<T> scores, T least)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var threshold = new Vector<T>(least);
        Vector<T> counts = Vector<T>.Zero;
        int i = 0, rest = 0;
        for (; i + Vector<T>.Count <= scores.Length; i += Vector<T>.Count)
            counts += Vector.ConditionalSelect(Vector.GreaterThanOrEqual(new Vector<T>(scores[i..]), threshold), Vector<T>.One, Vector<T>.Zero);
        for (; i < scores.Length; i++) rest += scores[i] >= least ? 1 : 0;
        return int.CreateChecked(Vector.Sum(counts)) + rest;
    }
}

/// <summary>How molecules are drawn from a language model.</summary>
public sealed record SamplingOptions
{
    /// <summary>Most tokens of a sequence where nobody says otherwise, and the model has as many.</summary>
    internal const int UsualTokens = 512;

    /// <summary>How many sequences.</summary>
    public int Count { get; init; } = 10;

    /// <summary>Divides the scores; 0 takes the likeliest token.</summary>
    public double Temperature { get; init; } = 1;

    /// <summary>Draw from the k likeliest tokens only; 0: from all.</summary>
    public int TopK { get; init; }

    /// <summary>Draw from the fewest likeliest tokens whose probabilities, after <see cref="TopK"/>, add up to this; 1: from all.</summary>
    public double TopP { get; init; } = 1;

    /// <summary>What the scores of tokens that a sequence has already are divided by where they are above zero, and multiplied by below; 1: none.</summary>
    public double RepetitionPenalty { get; init; } = 1;

    /// <summary>No run of so many tokens comes twice in a sequence; 0: any may.</summary>
    public int NoRepeat { get; init; }

    /// <summary>A sequence's random numbers follow from this and its number.</summary>
    public long Seed { get; init; }

    /// <summary>A sequence that has not ended by then, start and end token counted, is given up as unfinished; 0: 512, or what the model has where that is less.</summary>
    public int MaximumTokens { get; init; }

    /// <summary>Sequences decoded side by side: memory and speed, not what is drawn.</summary>
    public int BatchSize { get; init; } = 64;

    /// <exception cref="InputException">A key out of range.</exception>
    public void Validate()
    {
        if (Count < 1) throw new InputException("count", $"{Count}", "1 or more");
        if (!(Temperature >= 0) || double.IsInfinity(Temperature)) throw new InputException("temperature", $"{Temperature}", "0 or more");
        if (TopK < 0) throw new InputException("topK", $"{TopK}", "0 (all tokens) or more");
        if (!(TopP > 0 && TopP <= 1)) throw new InputException("topP", $"{TopP}", "above 0, and at most 1 (all tokens)");
        if (!(RepetitionPenalty > 0) || double.IsInfinity(RepetitionPenalty)) throw new InputException("repetitionPenalty", $"{RepetitionPenalty}", "above 0; 1 is none");
        if (NoRepeat < 0) throw new InputException("noRepeat", $"{NoRepeat}", "0 (any) or more tokens");
        if (MaximumTokens is < 2 and not 0) throw new InputException("maximumTokens", $"{MaximumTokens}", "2 or more");
        if (BatchSize < 1) throw new InputException("batchSize", $"{BatchSize}", "1 or more");
    }

    /// <param name="positions">Of the model.</param>
    /// <exception cref="InputException">More than the model has.</exception>
    internal int Capacity(int positions)
    {
        if (MaximumTokens > positions) throw new InputException("maximumTokens", $"{MaximumTokens}", $"at most {positions}, the positions that the model has");
        return MaximumTokens > 0 ? MaximumTokens : Math.Min(UsualTokens, positions);
    }
}
