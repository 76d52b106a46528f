Console.WriteLine("chemscale");
