using Ashlar.Storage;

namespace Ashlar.KeyValue.Compaction;

/// <summary>Those who wait until all tables were merged once.</summary>
sealed class CompactionRequests
{
    readonly Lock gate = new();
    readonly List<Request> waiting = [];

    /// <summary>Asks for it; <see cref="Remove"/> must follow, whatever became of it.</summary>
    public Request Add()
    {
        var request = new Request();
        using (gate.Hold()) waiting.Add(request);
        return request;
    }

    /// <summary>Who asked has gone on.</summary>
    public void Remove(Request request)
    {
        using (gate.Hold()) waiting.Remove(request);
    }

    /// <summary>Those that a merge of all tables that begins now is for.</summary>
    public Request[] Take()
    {
        using (gate.Hold()) return [.. waiting.Where(request => !request.IsDone)];
    }

    /// <summary>One who waits.</summary>
    public sealed class Request
    {
        bool isDone;

        /// <summary>Whether it was tried.</summary>
        public bool IsDone => Volatile.Read(ref isDone);

        /// <summary>What stopped it; read it once it is done.</summary>
        public Exception? Failure { get; private set; }

        /// <summary>It was tried.</summary>
        public void Finish(Exception? failure)
        {
            Failure = failure;
            Volatile.Write(ref isDone, true);
        }
    }
}
