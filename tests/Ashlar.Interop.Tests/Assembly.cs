// Servers, images and deaths share the machine's few cores and the page cache: one test at a time.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
