use std::path::PathBuf;

use clap::{ArgMatches, Args as _, FromArgMatches as _};

use super::args::ImagesArgs;
use super::{Options, Resize};
use crate::jobs::form::{Field, Form, PathKind};
use crate::jobs::{Arguments, JobInterface, place};

/// The largest side that can be chosen, in pixels.
const MAX_SIDE: u64 = 65_535;

impl JobInterface for Options {
    fn problem(&self, has_inputs: bool) -> Option<String> {
        let error = self.check(has_inputs).err()?;
        Some(error.to_string())
    }

    fn form(&mut self, _inputs: &[PathBuf], form: &mut dyn Form) {
        form.path(
            Field::named("Save to"),
            PathKind::Folder,
            "choose a folder",
            &mut self.to,
        );
        place::note(&self.to, form);
        form.choose(Field::named("Resize"), &mut self.resize);
        match self.resize {
            Resize::Keep => {}
            Resize::Fit => {
                let width = Field::new("Width", "0 for any width.");
                form.number(width, &mut self.width, 0..=MAX_SIDE);
                let height = Field::new("Height", "0 for any height.");
                form.number(height, &mut self.height, 0..=MAX_SIDE);
            }
            Resize::Exact => {
                form.number(Field::named("Width"), &mut self.width, 1..=MAX_SIDE);
                form.number(Field::named("Height"), &mut self.height, 1..=MAX_SIDE);
            }
            Resize::Percent => {
                let percent = Field::named("Percent");
                form.decimal(percent, &mut self.percent, 0.1..=10_000.0, 1.0);
            }
        }
        form.choose(Field::named("Format"), &mut self.format);
        form.choose(Field::named("If the file exists"), &mut self.existing);
    }

    fn places(&mut self) -> Vec<&mut PathBuf> {
        vec![&mut self.to]
    }

    fn more_title(&self) -> Option<&'static str> {
        Some("More options")
    }

    fn more_form(&mut self, form: &mut dyn Form) {
        form.choose(Field::named("Rotate"), &mut self.rotate);
        form.choose(Field::named("Mirror"), &mut self.flip);
        let greyscale = Field::new(
            "Greyscale",
            "The luma of Rec. 709: 0.2126 R + 0.7152 G + 0.0722 B.",
        );
        form.toggle(greyscale, &mut self.greyscale);
        form.choose(Field::named("Filter"), &mut self.filter);
        form.number(Field::named("JPEG quality"), &mut self.quality, 1..=100);
        let flatten = Field::new(
            "One folder",
            "Save all results in one folder, without the folders of the inputs.",
        );
        form.toggle(flatten, &mut self.flatten);
        let dates = Field::new("Keep dates", "A result has the date of its image's file.");
        form.toggle(dates, &mut self.keep_dates);
        let exif = Field::new(
            "Keep EXIF data",
            "The camera, the time, the place; in a JPEG, PNG or WebP.",
        );
        form.toggle(exif, &mut self.keep_exif);
        form.choose(Field::named("If it is damaged"), &mut self.damaged);
        let pixels = Field::new(
            "Megapixels",
            "Larger images are an error: they may be made to fill the memory.",
        );
        form.number(pixels, &mut self.max_megapixels, 1..=4_000);
        let memory = Field::new("Memory (MiB)", "The most memory for reading one image.");
        form.number(memory, &mut self.max_memory_mib, 1..=65_536);
    }

    fn add_args(&self, command: clap::Command) -> clap::Command {
        ImagesArgs::augment_args(command)
    }

    fn read_args(&mut self, matches: &ArgMatches) -> Result<Arguments, clap::Error> {
        let (options, arguments) = ImagesArgs::from_arg_matches(matches)?.split();
        *self = options;
        Ok(arguments)
    }
}
