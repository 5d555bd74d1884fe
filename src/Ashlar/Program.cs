using System.Runtime.InteropServices;
using Ashlar.CommandLine;

using var stop = new CancellationTokenSource();
var terminal = Terminal.OfProcess();

// The first signal asks to end, and a server then closes what it has open. The second ends the process at once.
void Stop(PosixSignalContext context)
{
    if (stop.IsCancellationRequested) return;
    context.Cancel = true;
    stop.Cancel();
}

void HangUp(PosixSignalContext context)
{
    if (terminal.HangUp.Handler is not { } handle)
    {
        Stop(context);
        return;
    }
    context.Cancel = true;
    handle();
}

using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
using var hangUp = PosixSignalRegistration.Create(PosixSignal.SIGHUP, HangUp);

return (int)await AshlarProgram.RunAsync(args, terminal, stop.Token);
