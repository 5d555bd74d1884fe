// Each newcomer has a copy of the machine in memory: one at a time is enough.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
