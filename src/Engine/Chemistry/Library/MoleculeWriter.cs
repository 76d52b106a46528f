using System.Runtime.CompilerServices;

namespace ChemScale.Engine.Chemistry.Library;

/// <summary>Turns a choice and a rank into SMILES, without allocating.</summary>
internal ref struct MoleculeWriter(Span<char> output)
{
    private readonly Span<char> _output = output;
    private uint _openDigits;

    public int Length { get; private set; }

    public void Write(in Choice choice, long rank)
    {
        long chosen = 0;
        if (choice.Patterns.Length > 1) (rank, chosen) = Division.DivRem(rank, choice.Patterns.Length);
        SlotValues slots = default;
        int count = 0;
        for (Fillings? list = choice.Fillings; list is not null;)
        {
            ref readonly Split split = ref list.Find(ref rank);
            (long first, long second) = split.Take(ref rank);
            slots[count++] = new SlotValue(split.First, first);
            if (split.Second is not null) slots[count++] = new SlotValue(split.Second, second);
            list = split.Rest;
        }

        Fill(choice.Patterns[chosen], ref slots);
    }

    private void Fill(string pattern, ref SlotValues slots)
    {
        // Four bits for each local ring label: the digit it has in the molecule while its ring is open, else 0.
        ulong labels = 0;
        foreach (char c in pattern)
        {
            if (c >= 'A' || c == '(' || c == ')')
            {
                _output[Length++] = c;
                continue;
            }

            if (c <= RingTraversal.MaximumSlots)
            {
                SlotValue slot = slots[c - 1];
                long rank = slot.Rank;
                Write(in slot.Part!.Find(ref rank), rank);
            }
            else if (char.IsAsciiDigit(c))
            {
                int shift = (c - '0') * 4;
                int digit = (int)(labels >> shift) & 15;
                if (digit == 0)
                {
                    digit = System.Numerics.BitOperations.TrailingZeroCount(~_openDigits & ~1u);
                    labels |= (ulong)digit << shift;
                }
                else
                {
                    labels &= ~(15UL << shift);
                }

                _openDigits ^= 1u << digit;
                _output[Length++] = (char)('0' + digit);
            }
            else
            {
                _output[Length++] = c;
            }
        }
    }

    private readonly record struct SlotValue(Derivations? Part, long Rank);

    [InlineArray(RingTraversal.MaximumSlots)]
    private struct SlotValues
    {
        private SlotValue _first;
    }
}
