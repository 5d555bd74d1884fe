namespace Ashlar.Files;

/// <summary>Renews the lease of an upload while its client is slow, and tells when that does not succeed.</summary>
sealed class LeaseKeeper : IAsyncDisposable
{
    readonly CancellationTokenSource stop = new(), lost = new();
    readonly Task renewals;

    public LeaseKeeper(IUploads uploads, IntentToken intent, FileServiceOptions options) =>
        renewals = RenewAsync(uploads, intent, options);

    /// <summary>Cancelled when somebody else has the intent, or nobody.</summary>
    public CancellationToken Lost => lost.Token;

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        await renewals;
        stop.Dispose();
        lost.Dispose();
    }

    async Task RenewAsync(IUploads uploads, IntentToken intent, FileServiceOptions options)
    {
        using var timer = new PeriodicTimer(options.Lease / 3, options.TimeProvider);
        try
        {
            while (await timer.WaitForNextTickAsync(stop.Token))
            {
                try
                {
                    await uploads.RenewIntentAsync(intent, options.Lease, stop.Token);
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
