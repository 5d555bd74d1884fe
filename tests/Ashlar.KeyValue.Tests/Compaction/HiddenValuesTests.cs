using Ashlar.KeyValue.Compaction;

namespace Ashlar.KeyValue.Tests;

/// <summary>When tables are merged only to show which values are stale.</summary>
public sealed class HiddenValuesTests
{
    [Theory]
    [InlineData(1000, 1000, 1000, 7, true)]
    [InlineData(2000, 1000, 500, 6, true)]
    [InlineData(999, 1000, 500, 6, false)] // It would not be enough.
    [InlineData(5000, 1000, 1001, 6, false)] // It costs more than it brings.
    [InlineData(5000, 1000, 500, 8, false)] // A reader needs what is stale.
    public void It_pays_off_if_enough_is_stale_tables_are_small_and_no_reader_is_behind(
        double stale, double excess, long tables, ulong newest, bool isWorthIt) =>
        Assert.Equal(isWorthIt, new HiddenValues(stale, excess, tables, newest, OldestReadable: 7).AreWorthMerging);
}
