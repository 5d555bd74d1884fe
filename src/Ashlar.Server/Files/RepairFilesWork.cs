namespace Ashlar.Server;

/// <summary>Makes copies of blocks anew that have too few, those with the fewest first.</summary>
sealed class RepairFilesWork(FileStore store) : FileWork(store)
{
    public override string Type => "repair-files";

    public override async Task RunAsync(TaskContext context) => Find(await Store.Repair.RunAsync(context.Stop.Token));
}
