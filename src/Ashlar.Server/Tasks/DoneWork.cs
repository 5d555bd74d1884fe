namespace Ashlar.Server;

/// <summary>Work that was done before its task began, where others of its kind take long.</summary>
/// <param name="type">What kind of work it was.</param>
sealed class DoneWork(string type) : ITaskWork
{
    public string Type => type;

    public TaskProgress Progress => new(null, null, []);

    public Task RunAsync(TaskContext context) => Task.CompletedTask;
}
