namespace Ashlar.Blocks.FileSystem;

/// <summary>Units that lie one behind the other.</summary>
readonly record struct UnitRun(long Unit, long Count)
{
    public long End => Unit + Count;
}
