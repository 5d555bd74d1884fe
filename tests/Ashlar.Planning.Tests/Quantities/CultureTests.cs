using System.Globalization;

namespace Ashlar.Planning.Tests;

/// <summary>Plans are written in one way, whatever the machine's language is.</summary>
public sealed class CultureTests
{
    [Fact]
    public void Refusals_group_digits_in_one_way()
    {
        var before = CultureInfo.CurrentCulture;
        var other = (CultureInfo)CultureInfo.InvariantCulture.Clone();
        other.NumberFormat.NumberGroupSeparator = "x";
        try
        {
            CultureInfo.CurrentCulture = other;
            Assert.Equal(
                "expected 1 to 1,024", Assert.Throws<PlanException>(() => SkewSimulation.Run(new() { Partitions = 5000 })).Message);
            Assert.Equal(
                "expected 1 to 5,000, the number of keys",
                Assert.Throws<PlanException>(() => SkewSimulation.Run(new() { Keys = 5000, HotKeys = 6000 })).Message);
            Assert.Equal(
                "larger than the 5,000 rows there are",
                Assert.Throws<PlanException>(
                    () => MigrationPlanner.Plan(new() { Rows = 5000, BatchRows = 6000 }, UnitSystem.Binary)).Message);
        }
        finally
        {
            CultureInfo.CurrentCulture = before;
        }
    }
}
