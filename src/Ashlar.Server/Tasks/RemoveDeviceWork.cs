using Ashlar.Storage;
using Ashlar.Volumes;

namespace Ashlar.Server;

/// <summary>Moves what lies on a device of a pool to the others, and takes it out then.</summary>
/// <param name="path">The device.</param>
/// <param name="evacuation">The moving.</param>
/// <param name="takeOut">Takes the empty device out.</param>
sealed class RemoveDeviceWork(string path, PoolEvacuation evacuation, Func<CancellationToken, Task> takeOut) : ITaskWork
{
    public string Type => "remove-device";

    public TaskProgress Progress => new(
        evacuation.TotalBytes,
        Math.Max(0, evacuation.TotalBytes - evacuation.RemainingBytes),
        evacuation.DamagedBlocks is > 0 and var damaged
            ? [$"{damaged} {(damaged == 1 ? "block" : "blocks")} on {path} could not be read, or did not match: still damaged, elsewhere"]
            : []);

    // What ends because the pool is closed goes on when it is opened again. Anything else puts the device back into use.
    public async Task RunAsync(TaskContext context)
    {
        try
        {
            await evacuation.RunAsync(context.PaceAsync, context.Stop.Token);
        }
        catch (Exception e) when (e is AshlarException || context.IsUnwanted)
        {
            await evacuation.CancelAsync();
            throw;
        }
        // Empty for good: it is too late not to want it. But whoever closes the pool waits for this, and this may wait for him.
        await takeOut(context.Closing.Token);
    }
}
