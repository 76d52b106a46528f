using System.Text;
using ChemScale.Engine;
using ChemScale.Engine.Numerics;
using ChemScale.Engine.Tokens.Store;
using NUnit.Framework;

namespace ChemScale.Tests.Numerics;

public class StableHashTests
{
    // Published check values of XXH64.
    [TestCase("", 0UL, 0xEF46DB3751D8E999UL)]
    [TestCase("a", 0UL, 0xD24EC4F1A98C6E5BUL)]
    [TestCase("abc", 0UL, 0x44BC2CF5AD770999UL)]
    [TestCase("Nobody inspects the spammish repetition", 0UL, 0xFBCEA83C8A378BF1UL)]
    public void Hashes_equal_the_published_values(string text, ulong seed, ulong expected) =>
        Assert.That(StableHash.Of(Encoding.ASCII.GetBytes(text), seed), Is.EqualTo(expected));

    [Test]
    public void The_split_of_a_molecule_never_changes()
    {
        SplitRule rule = new(0.02, 42);
        Assert.That(rule.Key("[C][C][=O]"), Is.EqualTo(StableHash.Of(Encoding.Unicode.GetBytes("[C][C][=O]"), 42)));
        int[] heldOut = [.. Enumerable.Range(0, 500).Where(i => rule.IsValidation(rule.Key($"[C][{i}]")))];
        Assert.That(heldOut, Is.EqualTo((int[])[17, 31, 56, 116, 178, 180, 273, 275, 287, 291, 334, 383, 429]));
    }

    [Test]
    public void The_held_out_share_is_the_fraction_and_independent_of_the_order()
    {
        SplitRule rule = new(0.1, 1);
        ulong[] keys = [.. Enumerable.Range(0, 20_000).Select(i => rule.Key($"[C][{i}]"))];
        Expect.Close(keys.Count(rule.IsValidation), 2000, absolute: 150);
        Expect.Close(keys.Order().Take(5000).Count(rule.IsValidation), 500, absolute: 80);
    }

    [TestCase(-0.1)]
    [TestCase(1.0)]
    [TestCase(double.NaN)]
    public void A_fraction_that_is_none_is_refused(double fraction) =>
        Assert.That(() => new SplitRule(fraction, 0), Throws.TypeOf<InputException>());
}
