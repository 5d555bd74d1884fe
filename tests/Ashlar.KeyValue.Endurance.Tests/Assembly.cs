// Victims of several tests would fight for the machine's few cores: one test at a time, which uses them all.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
