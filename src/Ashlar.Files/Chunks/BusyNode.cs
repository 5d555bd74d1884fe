namespace Ashlar.Files;

/// <summary>Asks a node again for a while that has too much to do: of an upload nothing is lost by that.</summary>
static class BusyNode
{
    static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(10);

    /// <exception cref="StorageNodeException">It has failed, or had too much to do all the time.</exception>
    public static async Task<T> InsistAsync<T>(
        Func<ValueTask<T>> call, TimeSpan limit, TimeProvider clock, CancellationToken cancellationToken = default)
    {
        var begun = clock.GetTimestamp();
        for (var pause = FirstPause; ; pause *= 2)
        {
            try
            {
                return await call();
            }
            catch (StorageNodeException e) when (e.Kind == NodeErrorKind.Busy && clock.GetElapsedTime(begun) + pause < limit)
            {
                await Task.Delay(pause, clock, cancellationToken);
            }
        }
    }
}
