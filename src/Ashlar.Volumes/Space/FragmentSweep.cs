using Ashlar.KeyValue;

namespace Ashlar.Volumes;

/// <summary>
/// Looks, in the background after opening, for fragment chunks of which blocks are free: memory knows only of those that were used in this
/// life. It goes through what the store says of them once, in steps; nobody waits for it.
/// </summary>
sealed class FragmentSweep(PoolParts parts, Func<long, VolumeDevice?> findVolume)
{
    const int StepPages = 64;

    /// <summary>Begins.</summary>
    public void Start() => _ = parts.Work.Enqueue("looking for free blocks in fragment chunks", null, cancellationToken =>
    {
        Run(cancellationToken);
        return ValueTask.CompletedTask;
    });

    void Run(CancellationToken cancellationToken)
    {
        var from = MapKeys.Fragments.ToArray();
        var step = new List<(long Number, FragmentPage Page)>(StepPages);
        do
        {
            cancellationToken.ThrowIfCancellationRequested();
            step.Clear();
            var settled = parts.Fragments.SettledChunks; // Before the store is read.
            using (var cursor = parts.Store.Scan(KeyRange.Between(from, MapKeys.AfterFragments)))
            {
                while (step.Count < StepPages && cursor.MoveNext())
                {
                    var number = MapKeys.ReadNumber(cursor.Key);
                    step.Add((number, FragmentPage.Read(cursor.Value, parts.Name, number)));
                    from = [.. cursor.Key, 0];
                }
            }

            foreach (var (number, page) in step) Offer(number, page, settled);
        }
        while (step.Count > 0);
    }

    void Offer(long number, FragmentPage page, long settled)
    {
        for (var index = 0; index < FragmentPage.Chunks; index++)
        {
            if (page.BlocksOf(index) == 0 || findVolume(page.LineageOf(index)) is not { } volume) continue;
            parts.Fragments.Offer(volume, (number * FragmentPage.Chunks) + index, page.BlocksOf(index), settled);
        }
    }
}
