namespace Ashlar.KeyValue.Commit;

/// <summary>Groups whose outcome was decided under the gate and whose members are to be woken outside of it.</summary>
struct FinishedGroups
{
    CommitGroup? first;
    CommitGroup? last;

    public void Add(CommitGroup group, Exception? error)
    {
        group.Finish(error);
        if (last is null) first = group;
        else last.NextFinished = group;
        last = group;
    }

    /// <summary>Wakes everybody but the caller, who is a member of <paramref name="own"/>.</summary>
    public readonly void Wake(CommitGroup? own)
    {
        for (var group = first; group is not null;)
        {
            var next = group.NextFinished; // The group may be in use again right after it was left.
            group.WakeMembers(own);
            group = next;
        }
    }
}
