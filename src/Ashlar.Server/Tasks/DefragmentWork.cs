using Ashlar.Volumes;

namespace Ashlar.Server;

/// <summary>Puts a volume in order.</summary>
sealed class DefragmentWork(VolumeOrdering ordering, string volume) : ITaskWork
{
    public string Type => "defragment";

    public TaskProgress Progress => new(
        ordering.TotalBytes,
        ordering.DoneBytes,
        ordering.LeftPieces is > 0 and var left
            ? [$"volume {volume}: {left} MiB stay as they are: damaged, or no whole MiB was free"]
            : []);

    public async Task RunAsync(TaskContext context) => await ordering.RunAsync(context.PaceAsync, context.Stop.Token);
}
