namespace Ashlar.KeyValue.Commit;

/// <summary>Groups whose outcome was decided under the gate and whose members are to be woken outside of it.</summary>
struct FinishedGroups
{
    CommitGroup? first;
    CommitGroup? last;

    /// <summary>Whether everybody was woken.</summary>
    public readonly bool IsEmpty => first is null;

    public void Add(CommitGroup group, Exception? error)
    {
        group.Finish(error);
        if (last is null) first = group;
        else last.NextFinished = group;
        last = group;
    }

    /// <summary>Wakes everybody but the caller, who is a member of <paramref name="own"/>.</summary>
    public void Wake(CommitGroup? own)
    {
        while (first is { } group)
        {
            first = group.NextFinished; // The group may be in use again right after it was left.
            group.WakeMembers(own);
        }

        last = null;
    }
}
