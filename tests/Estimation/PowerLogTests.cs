using ChemScale.Engine;
using ChemScale.Engine.Estimation.Energy;
using ChemScale.Engine.Numerics;
using NUnit.Framework;

namespace ChemScale.Tests.Estimation;

public class PowerLogTests
{
    [Test]
    public void Trapezoids_over_uneven_times_are_summed_by_hand()
    {
        // (100 + 200)/2 * 2 + (200 + 50)/2 * 4 + (50 + 50)/2 * 1 = 300 + 500 + 50 J.
        PowerLog log = Log("time,watts\n10,100\n12,200\n16,50\n17,50\n");
        Expect.Close(log.Kilojoules, 0.85, absolute: 1e-15);
    }

    [Test]
    public void A_log_as_nvidia_smi_writes_it_is_read_device_by_device()
    {
        PowerLog log = Log("timestamp, index, power.draw [W]\n"
            + "2023/02/01 23:59:59.500, 0, 60.00 W\n2023/02/01 23:59:59.500, 1, 10.00 W\n2023/02/02 00:00:00.500, 0, 80.00 W\n2023/02/02 00:00:01.500, 1, 10.00 W\n");
        Assert.That(log.Devices.Select(d => (d.Device, Math.Round(d.Joules, 6))), Is.EqualTo(new[] { ("0", 70.0), ("1", 20.0) }));
        Expect.Close(log.Kilojoules, 0.09, absolute: 1e-9);
    }

    [TestCase("time,volts\n1,2\n2,3\n", "log.csv:1: no column of that kind")]
    [TestCase("day,watts\n1,2\n2,3\n", "log.csv:1: no column of that kind")]
    [TestCase("time,watts\n1,2\n", "fewer than two readings")]
    [TestCase("time,watts\n1,2\n2,[N/A]\n", "log.csv:3:2: \"[N/A]\" under \"watts\"")]
    [TestCase("time,watts\n1,2\nsoon,3\n", "log.csv:3:1: \"soon\" under \"time\"")]
    [TestCase("time,watts\n2,2\n1,3\n", "log.csv:3:1: \"1\" under \"time\"")]
    [TestCase("time,watts\n1,2\n2,-3\n", "log.csv:3:2: \"-3\" under \"watts\"")]
    public void What_is_no_power_log_is_refused_by_line_and_column(string text, string message) =>
        Assert.That(() => Log(text), Throws.TypeOf<InputException>().With.Message.Contains(message));

    private static PowerLog Log(string text) => PowerLog.Of(CsvTable.Parse(text, "log.csv"));
}
