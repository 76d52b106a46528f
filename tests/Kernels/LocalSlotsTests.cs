using ChemScale.Kernels.Device;
using NUnit.Framework;

namespace ChemScale.Tests.Kernels;

public class LocalSlotsTests
{
    [Test]
    public void A_slot_that_is_only_stored_and_loaded_becomes_a_register() => Assert.That(
        LocalSlots.InRegisters(Function(4, "st.local.f32\t[%rd1], 0f3F800000;", "ld.local.f32\t%f1, [%rd1];")),
        Is.EqualTo("""
            .visible .entry K(
            )
            {
            	.reg .f32	%__local_depot0;
            	mov.f32	%__local_depot0, 0f3F800000;
            	mov.f32	%f1, %__local_depot0;
            	ret;
            }

            """));

    [Test]
    public void A_predicate_stays_on_the_access() => Assert.That(
        LocalSlots.InRegisters(Function(4, "st.local.b32\t[%rd1], %r1;", "@!%p2 ld.local.b32\t%r2, [%rd1];")),
        Does.Contain("@!%p2 mov.b32\t%r2, %__local_depot0;"));

    [TestCase(8, "st.local.f32\t[%rd1], %f1;", TestName = "A slot that is stored in part stays in memory")]
    [TestCase(4, "st.local.f32\t[%rd1], %f1;|ld.local.b32\t%r1, [%rd1];", TestName = "A slot of two types stays in memory")]
    [TestCase(4, "st.local.f32\t[%rd1], %f1;|add.u64\t%rd2, %rd1, %rd3;", TestName = "A slot whose address is computed with stays in memory")]
    [TestCase(4, "st.local.f32\t[%rd1], %f1;|st.global.b64\t[%rd2], %rd1;", TestName = "A slot whose address is stored stays in memory")]
    [TestCase(4, "st.local.f32\t[%rd1], %f1;|st.local.b64\t[%rd1], %rd1;", TestName = "A slot that holds its own address stays in memory")]
    [TestCase(4, "st.local.f32\t[%rd1+4], %f1;", TestName = "A slot with an offset stays in memory")]
    [TestCase(4, "st.local.f32\t[%rd1], %f1;|ld.param.b64\t%rd1, [x];", TestName = "A slot whose address register is used again stays in memory")]
    [TestCase(4, "st.local.f32\t[%rd1], %f1;|mov.b64\t%rd1, __local_depot1;", TestName = "Two slots of one address register stay in memory")]
    [TestCase(4, "st.local.f32\t[%rd1], %f1;|mov.b64\t%rd2, __local_depot0;|ld.local.v2.f32\t{%f1, %f2}, [%rd2];",
        TestName = "A slot whose second address is used otherwise stays in memory")]
    public void Anything_else_stays_in_memory(int size, string code)
    {
        string text = Function(size, code.Split('|'));
        Assert.That(LocalSlots.InRegisters(text), Is.EqualTo(text));
    }

    private static string Function(int size, params string[] code) =>
        $".visible .entry K(\n)\n{{\n\t.local .align 4 .b8 __local_depot0[{size}];\n\tmov.b64\t%rd1, __local_depot0;\n"
        + string.Concat(code.Select(line => $"\t{line}\n")) + "\tret;\n}\n";
}
