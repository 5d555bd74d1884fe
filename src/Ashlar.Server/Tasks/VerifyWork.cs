using Ashlar.Volumes;

namespace Ashlar.Server;

/// <summary>Compares the map of a pool with its free space: nothing leaked, nothing owned twice.</summary>
sealed class VerifyWork(StoragePool pool) : ITaskWork
{
    volatile PoolVerification? found;

    public string Type => "verify";

    public TaskProgress Progress => new(null, null, found?.Problems);

    public async Task RunAsync(TaskContext context) => found = await pool.VerifyAsync(readData: false, context.Stop.Token);
}
