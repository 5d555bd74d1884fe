using Ashlar.Storage;

namespace Ashlar.Nvme;

/// <summary>The commands of one queue that have not been answered, by their identifiers. Any thread.</summary>
sealed class CommandTable
{
    readonly Lock gate = new();
    readonly Dictionary<ushort, QueuedCommand> commands = [];
    readonly Stack<QueuedCommand> idle = new();

    public int Count
    {
        get
        {
            lock (gate) return commands.Count;
        }
    }

    /// <summary>A command begins; null when one with its identifier has not been answered.</summary>
    public QueuedCommand? TryAdd(in SubmissionEntry entry)
    {
        lock (gate)
        {
            if (commands.ContainsKey(entry.CommandId)) return null;
            var command = idle.TryPop(out var used) ? used : new QueuedCommand();
            command.Begin(entry);
            commands.Add(entry.CommandId, command);
            return command;
        }
    }

    /// <summary>A command is about to be answered; its identifier may be used again from then on.</summary>
    public void Remove(QueuedCommand command)
    {
        lock (gate)
        {
            Invariant.Require(commands.Remove(command.Entry.CommandId) && command.Buffer is null);
            if (idle.Count < QueuePair.MaxDepth) idle.Push(command);
        }
    }

    /// <summary>Sees to it that a command never has effects.</summary>
    /// <returns>False when there is none, or it may have had some.</returns>
    public bool TryAbort(ushort commandId)
    {
        lock (gate) return commands.TryGetValue(commandId, out var command) && command.TryAbort();
    }

    /// <summary>A command whose data were asked for, and have not all come.</summary>
    public QueuedCommand? FindSolicited(ushort commandId)
    {
        lock (gate) return commands.TryGetValue(commandId, out var command) && command.DataDueAt != 0 ? command : null;
    }

    /// <summary>A command whose data have not come in time.</summary>
    public QueuedCommand? FindOverdue(long nowMilliseconds)
    {
        lock (gate)
        {
            foreach (var command in commands.Values)
                if (command.DataDueAt is not 0 and var due && due < nowMilliseconds) return command;
            return null;
        }
    }

    /// <summary>All that are left, when nobody is there any more to be answered.</summary>
    public List<QueuedCommand> TakeAll()
    {
        lock (gate)
        {
            List<QueuedCommand> all = [.. commands.Values];
            commands.Clear();
            return all;
        }
    }
}
