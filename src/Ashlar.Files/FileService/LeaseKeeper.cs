namespace Ashlar.Files;

/// <summary>Renews the lease of an upload while its client is slow, and tells when that does not succeed.</summary>
sealed class LeaseKeeper : IAsyncDisposable
{
    static readonly TimeSpan MaxPeriod = TimeSpan.FromDays(1);

    readonly CancellationTokenSource stop = new(), lost = new();
    readonly Task renewals;

    public LeaseKeeper(IUploads uploads, IntentToken intent, TimeSpan lease, TimeProvider clock) =>
        renewals = RenewAsync(uploads, intent, lease, clock);

    /// <summary>Cancelled when somebody else has the intent, or nobody.</summary>
    public CancellationToken Lost => lost.Token;

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        await renewals;
        stop.Dispose();
        lost.Dispose();
    }

    async Task RenewAsync(IUploads uploads, IntentToken intent, TimeSpan lease, TimeProvider clock)
    {
        // A timer reaches no further than this.
        using var timer = new PeriodicTimer(lease / 3 < MaxPeriod ? lease / 3 : MaxPeriod, clock);
        try
        {
            while (await timer.WaitForNextTickAsync(stop.Token))
            {
                try
                {
                    await uploads.RenewIntentAsync(intent, lease, stop.Token);
                }
                catch (Storage.AshlarException failure) when (failure is not FileStoreException)
                {
                    // The store may be back for the next one; the lease holds for two more.
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The upload has ended.
        }
        catch (FileStoreException)
        {
            await lost.CancelAsync();
        }
    }
}
