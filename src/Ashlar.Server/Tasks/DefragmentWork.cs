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
            ? [$"volume {volume}: {left} MiB are damaged and stay as they are"]
            : []);

    public async Task RunAsync(TaskContext context) => await ordering.RunAsync(context.PaceAsync, context.Stop.Token);
}
